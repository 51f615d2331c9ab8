FROM python:3.13-slim

## The Challenge's three lines.
RUN mkdir /physionet
COPY ./ /physionet
WORKDIR /physionet

## "tensorflow" also computes on a GPU where CUDA is installed; "tensorflow-cpu", 600 MB less, never does.
ARG TENSORFLOW=tensorflow
RUN sed -i "s/^tensorflow>/${TENSORFLOW}>/" requirements.txt \
    && pip install --no-cache-dir -r requirements.txt
