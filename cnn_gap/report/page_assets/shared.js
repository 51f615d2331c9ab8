"use strict";

// What both pages use. Texts of records come in by textContent and attributes alone, never as markup.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);

function add(parent, name, attributes = {}, text = "") {
  const element = document.createElementNS(parent.namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  parent.append(element);
  return element;
}

