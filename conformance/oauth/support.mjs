// What the tests share: where everything is, the provider with its people, and the server under test as whoever a test
// wants to be.

import assert from "node:assert/strict";
import { Network } from "./http.mjs";
import { DOMAIN, startProvider } from "./provider.mjs";

function environment(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

export const baseDomain = environment("CLAVIGER_BASE_DOMAIN");
const providerAddress = environment("CLAVIGER_PROVIDER_ADDRESS");

export const network = new Network(environment("CLAVIGER_CA"), [
  [baseDomain, environment("CLAVIGER_ADDRESS")],
  [DOMAIN, providerAddress],
]);

// Where providers send browsers back to: one host for all orgs.
export const CALLBACK = `https://zis.${baseDomain}/api/services/zis/connections/oauth/callback`;

// Starts the provider.
export async function begin() {
  const files = { key: environment("CLAVIGER_PROVIDER_KEY"), certificate: environment("CLAVIGER_PROVIDER_CERTIFICATE") };
  const provider = await startProvider({ address: providerAddress, callback: CALLBACK, ...files });
  return { provider, callback: CALLBACK };
}

// A form as the body of a request.
export const form = (fields) => ({
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(fields).toString(),
});

// Logs in at the provider and agrees to what is asked; the page where that ends.
export async function logIn(browser, url) {
  const login = await browser.open(url);
  const consent = await browser.submit(login, { login: "ada", password: "anything" });
  return browser.submit(consent, {});
}
