// HTTPS to hosts that no name server knows: each domain is led to the address where it is served.

import { readFileSync } from "node:fs";
import https from "node:https";

// Everything is local, and what is wrong should be found soon; the server itself gives up on a provider after 10 s.
const PATIENCE_MS = 30_000;

export class Network {
  #places = new Map();
  #agent;

  // `places` are pairs of a domain, with all below it, and a `host:port`.
  constructor(authorityFile, places) {
    this.#agent = new https.Agent({ ca: readFileSync(authorityFile), keepAlive: false });
    for (const [domain, address] of places) this.#places.set(domain, address);
  }

  #addressOf(host) {
    for (const [domain, address] of this.#places) {
      if (host === domain || host.endsWith(`.${domain}`)) return address.split(":");
    }
    throw new Error(`nothing leads to ${host}`);
  }

  // One request, no redirects followed. A body that is no text is sent as JSON.
  send(method, url, { headers = {}, body } = {}) {
    const target = new URL(url);
    const [host, port] = this.#addressOf(target.hostname);
    const isText = body === undefined || typeof body === "string";
    const text = isText ? body : JSON.stringify(body);
    const all = { host: target.host, ...(isText ? {} : { "content-type": "application/json" }), ...headers };
    return new Promise((resolve, reject) => {
      const request = https.request(
        {
          agent: this.#agent,
          host,
          port,
          servername: target.hostname,
          method,
          path: target.pathname + target.search,
          headers: all,
          signal: AbortSignal.timeout(PATIENCE_MS),
        },
        (response) => {
          const parts = [];
          response.on("data", (part) => parts.push(part));
          response.on("error", reject);
          response.on("end", () => resolve(new Answer(target, response, Buffer.concat(parts).toString())));
        },
      );
      request.on("error", reject);
      request.end(text);
    });
  }
}

class Answer {
  constructor(url, response, text) {
    this.url = url;
    this.status = response.statusCode;
    this.headers = response.headers;
    this.text = text;
  }

  get json() {
    return JSON.parse(this.text);
  }

  // Where it sends a browser; null where it does not.
  get redirect() {
    const { location } = this.headers;
    return this.status >= 300 && this.status < 400 && location ? new URL(location, this.url) : null;
  }
}
