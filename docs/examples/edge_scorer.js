// Scores an exported model where the user is: in a mini-programme, a browser or node.
//
//   const { load } = require("./edge_scorer.js");
//   const score = load(text);                     // the file `streams export MODEL --out FILE` wrote
//   score({ presence: 0.7, orders: -0.5 });       // a probability
//
// The same figures as streams/learning/edge.py to 1e-12. Nothing but the language is used.
"use strict";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VERSION = 1;
const BOUND = 1000;

function bytesOfBase64(text) {
  const found = [];
  let bits = 0, held = 0;
  for (const digit of text.replace(/=+$/, "")) {
    held = (held << 6) | DIGITS.indexOf(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      found.push((held >> bits) & 255);
    }
    held &= (1 << bits) - 1;
  }
  return Uint8Array.from(found);
}

function bytesOfText(text) {
  const found = [];
  for (const letter of text) {
    const code = letter.codePointAt(0);
    if (code < 0x80) found.push(code);
    else if (code < 0x800) found.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) {
      found.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    } else {
      found.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63));
      found.push(0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    }
  }
  return found;
}

function crc32(...parts) {
  let crc = 0xffffffff;
  for (const part of parts) {
    for (const byte of part) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function checksum(model, gaps, scales, codes) {
  const numbers = new DataView(new ArrayBuffer(36));
  [model.intercept, model.slope, model.shift].forEach((x, i) => numbers.setFloat64(8 * i, x, true));
  [model.buckets, model.bits, model.block].forEach((x, i) => numbers.setUint32(24 + 4 * i, x, true));
  const text = bytesOfText(model.names.join("\n"));
  return crc32(new Uint8Array(numbers.buffer), gaps, scales, codes, text);
}

function placesOf(size, gaps) {
  if (!gaps.length) return Array.from({ length: size }, (_, place) => place);
  const places = [];
  let place = 0;
  for (const gap of gaps) {
    place += gap;
    if (gap < 255) places.push(place);
  }
  return places;
}

function weightsOf(model, gaps, scales, codes) {
  const size = model.buckets || model.names.length;
  const weights = new Array(size).fill(0);
  const view = new DataView(scales.buffer);
  placesOf(size, gaps).forEach((place, i) => {
    let code = model.bits === 8 ? codes[i] : (codes[i >> 1] >> (4 * (i & 1))) & 15;
    if (code >= 1 << (model.bits - 1)) code -= 1 << model.bits;
    weights[place] = code * view.getFloat32(4 * Math.floor(i / model.block), true);
  });
  return weights;
}

function load(text) {
  const model = JSON.parse(text);
  if (model.format !== "streams.edge" || model.version > VERSION) {
    throw new Error(`is ${model.format} ${model.version}, not streams.edge ${VERSION} or older`);
  }
  const [gaps, scales, codes] = [model.gaps, model.scales, model.codes].map(bytesOfBase64);
  if (checksum(model, gaps, scales, codes) !== model.crc32) {
    throw new Error("damaged: the checksum differs");
  }
  const weights = weightsOf(model, gaps, scales, codes);
  const index = new Map(model.names.map((name, place) => [name, place]));
  return function score(features) {
    let logit = model.intercept;
    for (const [name, value] of Object.entries(features)) {
      const place = model.buckets ? crc32(bytesOfText(name)) % model.buckets : index.get(name);
      if (place === undefined || Number.isNaN(value)) continue;
      logit += weights[place] * Math.min(Math.max(value, -BOUND), BOUND);
    }
    const odds = model.slope * logit + model.shift;
    return 1 / (1 + Math.exp(-Math.min(Math.max(odds, -700), 700)));
  };
}

module.exports = { load };
