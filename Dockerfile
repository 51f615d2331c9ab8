FROM python:3.13-slim

## The Challenge's three lines.
RUN mkdir /physionet
COPY ./ /physionet
WORKDIR /physionet

RUN pip install --no-cache-dir -r requirements.txt
