// What the tests share: where the server is, official clients as whoever a test wants to be, plain HTTP, objects
// that go away with the test that made them, and the forms that values have on the wire.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import datadog from "@datadog/datadog-api-client";

export const { client, v1, v2 } = datadog;

function environment(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

const url = environment("CLAVIGER_URL").replace(/\/$/, "");
const credentials = { apiKey: environment("CLAVIGER_API_KEY"), applicationKey: environment("CLAVIGER_APPLICATION_KEY") };
export const orgId = environment("CLAVIGER_ORG_ID");
export const userId = environment("CLAVIGER_USER_ID");
export const email = environment("CLAVIGER_EMAIL");

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const TIME_V1 = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
export const TIME_V2 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/;
export const API_KEY_SECRET = /^[0-9a-f]{32}$/;
export const APPLICATION_KEY_SECRET = /^([a-f0-9]{40}|ddapp_[a-zA-Z0-9]{34})$/;

export const UNKNOWN_API_KEY = "0".repeat(32);
export const UNKNOWN_APPLICATION_KEY = "0".repeat(40);
export const NO_PERMISSION = ["Forbidden", "Failed permission authorization checks"];

// A client's configuration. Retries are off: the first answer counts.
export function configuration(given = {}) {
  const keys = { ...credentials, ...given };
  return client.createConfiguration({
    baseServer: new client.BaseServerConfiguration(url, {}),
    authMethods: keys.token
      ? { AuthZ: { accessToken: keys.token } }
      : { apiKeyAuth: keys.apiKey, appKeyAuth: keys.applicationKey },
    enableRetry: keys.enableRetry ?? false,
  });
}

export const keys = new v2.KeyManagementApi(configuration());
export const users = new v2.UsersApi(configuration());
export const roles = new v2.RolesApi(configuration());
export const serviceAccounts = new v2.ServiceAccountsApi(configuration());
export const keysV1 = new v1.KeyManagementApi(configuration());

// Key management, v2, with other credentials than the first user's.
export const keysOf = (given) => new v2.KeyManagementApi(configuration(given));

// Sends one request by plain HTTP. A body is sent as it is when it is text; a key of null is not sent.
export async function send(method, path, { body, query, ...given } = {}) {
  const { apiKey, applicationKey, token } = { ...credentials, ...given };
  const headers = { accept: "application/json" };
  if (apiKey !== null) headers["dd-api-key"] = apiKey;
  if (applicationKey !== null) headers["dd-application-key"] = applicationKey;
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(`${url}${path}${query ? `?${new URLSearchParams(query)}` : ""}`, {
    method,
    headers,
    body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    contentType: response.headers.get("content-type"),
    text,
    get json() {
      return JSON.parse(text);
    },
  };
}

// Asserts that the client's call fails so. Where the client's own description of an operation lacks the status, it
// hands over the body inside a sentence.
export async function refused(promise, status, ...errors) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, status);
    const body = typeof error.body === "string" ? JSON.parse(error.body.match(/\{.*\}/s)[0]) : error.body;
    assert.deepEqual(body.errors, errors);
    return true;
  });
}

// Asserts a failure on the wire: a list of strings as JSON; any, where none are given.
export function hasFailedWith(answer, status, ...errors) {
  assert.deepEqual([answer.status, answer.contentType], [status, "application/json"], answer.text);
  assert.deepEqual(Object.keys(answer.json), ["errors"]);
  assert.ok(answer.json.errors.length > 0 && answer.json.errors.every((error) => typeof error === "string"));
  if (errors.length > 0) assert.deepEqual(answer.json.errors, errors);
}

// The client's answer, once the client says that it knew how to read all of it.
export function understood(model) {
  assert.ok(!model._unparsed, JSON.stringify(model));
  return model;
}

// A name that nothing else has.
export const unique = (name = "key") => `conformance ${randomUUID()} ${name}`;

// An address that nobody has, as long and in as mixed a case as those of the vendor's own suites.
export const uniqueEmail = () => `Test-Conformance_creates_somebody_with_a_long_name_${randomUUID()}@Example.com`;

export const unknownId = randomUUID;

// A body with one object.
export const resource = (type, attributes, more = {}) => ({ data: { type, attributes, ...more } });

// A relationship to several objects, for the last parameter of `resource`.
export const linked = (name, type, ids) => ({ relationships: { [name]: { data: ids.map((id) => ({ type, id })) } } });

// Deletes `path` after test `t`, whether or not the test has done so.
export function cleanUp(t, path) {
  t.after(async () => {
    const { status } = await send("DELETE", path);
    assert.ok([200, 204, 404].includes(status), `${path}: ${status}`);
  });
}

// Makes an API key for the length of test `t` and returns its data.
export async function makeApiKey(t, attributes = {}) {
  const body = { data: { type: "api_keys", attributes: { name: unique(), ...attributes } } };
  const { data } = understood(await keys.createAPIKey({ body }));
  cleanUp(t, `/api/v2/api_keys/${data.id}`);
  return data;
}

// Makes an application key of the first user for the length of test `t` and returns its data.
export async function makeApplicationKey(t, attributes = {}) {
  const body = { data: { type: "application_keys", attributes: { name: unique(), ...attributes } } };
  const { data } = understood(await keys.createCurrentUserApplicationKey({ body }));
  cleanUp(t, `/api/v2/current_user/application_keys/${data.id}`);
  return data;
}

// Makes a user for the length of test `t` and returns their data.
export async function makeUser(t, attributes = {}, roleIds = []) {
  const body = resource("users", { email: uniqueEmail(), ...attributes }, linked("roles", "roles", roleIds));
  const { data } = understood(await users.createUser({ body }));
  cleanUp(t, `/api/v2/users/${data.id}`);
  return data;
}

// Makes a role for the length of test `t` and returns its data. It has the default permissions, and those given.
export async function makeRole(t, attributes = {}, permissionIds = []) {
  const body = resource("roles", { name: unique("role"), ...attributes }, linked("permissions", "permissions", permissionIds));
  const { data } = understood(await roles.createRole({ body }));
  cleanUp(t, `/api/v2/roles/${data.id}`);
  return data;
}

// Makes a service account for the length of test `t` and returns its data.
export async function makeServiceAccount(t, attributes = {}, roleIds = []) {
  const given = { email: uniqueEmail(), serviceAccount: true, ...attributes };
  const body = resource("users", given, linked("roles", "roles", roleIds));
  const { data } = understood(await serviceAccounts.createServiceAccount({ body }));
  cleanUp(t, `/api/v2/users/${data.id}`);
  return data;
}

// The id of a permission.
export async function permissionId(name) {
  const { data } = understood(await roles.listPermissions());
  return data.find(({ attributes }) => attributes.name === name).id;
}

// Calls `make` for each of `items`, one after the other, so that each is younger than the one before.
export async function inTurn(items, make) {
  const made = [];
  for (const item of items) made.push(await make(item));
  return made;
}

export const idsOf = (listed) => listed.data.map((key) => key.id);
