// What the client is told without credentials, with unknown ones, and with scopes that do not reach; the operations
// of keys, in both versions, of tokens and of people.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  NO_PERMISSION,
  UNKNOWN_API_KEY,
  UNKNOWN_APPLICATION_KEY,
  configuration,
  makeApiKey,
  makeApplicationKey,
  refused,
  send,
  unknownId,
  v1,
  v2,
} from "../support.mjs";

const id = unknownId();
const created = (type) => ({ data: { type, attributes: { name: "x" } } });
const patched = (type) => ({ data: { type, id, attributes: { name: "x" } } });
const named = { name: "x" };
const pointed = (type) => ({ data: { type, id } });
const token = { name: "x", scopes: ["dashboards_read"], expiresAt: new Date(Date.now() + 30 * 24 * 60 * 60 * 1000) };
const account = { serviceAccountId: id };
const invitation = { type: "user_invitations", relationships: { user: pointed("users") } };
const readPeople = ["user_access_read", "user_access_manage"];
const invite = ["user_access_invite", "user_access_manage"];
// The second reaches service accounts alone.
const changePeople = ["user_access_manage", "service_account_write"];
const manage = ["user_access_manage"];
const machines = ["service_account_write"];

// Every operation, and the permissions that open it, any one of them.
const OPERATIONS = [
  [v1, "listAPIKeys", undefined, ["api_keys_read"]],
  [v1, "createAPIKey", { body: named }, ["api_keys_write"]],
  [v1, "getAPIKey", { key: UNKNOWN_API_KEY }, ["api_keys_read"]],
  [v1, "updateAPIKey", { key: UNKNOWN_API_KEY, body: named }, ["api_keys_write"]],
  [v1, "deleteAPIKey", { key: UNKNOWN_API_KEY }, ["api_keys_delete"]],
  [v1, "listApplicationKeys", undefined, ["org_app_keys_read", "user_app_keys"]],
  [v1, "createApplicationKey", { body: named }, ["user_app_keys"]],
  [v1, "getApplicationKey", { key: UNKNOWN_APPLICATION_KEY }, ["org_app_keys_read", "user_app_keys"]],
  [v1, "updateApplicationKey", { key: UNKNOWN_APPLICATION_KEY, body: named }, ["org_app_keys_write", "user_app_keys"]],
  [v1, "deleteApplicationKey", { key: UNKNOWN_APPLICATION_KEY }, ["org_app_keys_write", "user_app_keys"]],
  [v1, "createChildOrg", { body: named }, ["org_management"], "OrganizationsApi"],
  [v2, "listAPIKeys", {}, ["api_keys_read"]],
  [v2, "createAPIKey", { body: created("api_keys") }, ["api_keys_write"]],
  [v2, "getAPIKey", { apiKeyId: id }, ["api_keys_read"]],
  [v2, "updateAPIKey", { apiKeyId: id, body: patched("api_keys") }, ["api_keys_write"]],
  [v2, "deleteAPIKey", { apiKeyId: id }, ["api_keys_delete"]],
  [v2, "listApplicationKeys", {}, ["org_app_keys_read"]],
  [v2, "getApplicationKey", { appKeyId: id }, ["org_app_keys_read"]],
  [v2, "updateApplicationKey", { appKeyId: id, body: patched("application_keys") }, ["org_app_keys_write"]],
  [v2, "deleteApplicationKey", { appKeyId: id }, ["org_app_keys_write"]],
  [v2, "listCurrentUserApplicationKeys", {}, ["user_app_keys"]],
  [v2, "createCurrentUserApplicationKey", { body: created("application_keys") }, ["user_app_keys"]],
  [v2, "getCurrentUserApplicationKey", { appKeyId: id }, ["user_app_keys"]],
  [v2, "updateCurrentUserApplicationKey", { appKeyId: id, body: patched("application_keys") }, ["user_app_keys"]],
  [v2, "deleteCurrentUserApplicationKey", { appKeyId: id }, ["user_app_keys"]],
  [v2, "listPersonalAccessTokens", {}, ["user_app_keys", "org_app_keys_read"]],
  [v2, "createPersonalAccessToken", { body: { data: { type: "personal_access_tokens", attributes: token } } }, ["user_app_keys"]],
  [v2, "getPersonalAccessToken", { tokenId: id }, ["user_app_keys", "org_app_keys_read"]],
  [v2, "updatePersonalAccessToken", { tokenId: id, body: patched("personal_access_tokens") }, ["user_app_keys", "org_app_keys_write"]],
  [v2, "revokePersonalAccessToken", { tokenId: id }, ["user_app_keys", "org_app_keys_write"]],
  [v2, "listUsers", {}, readPeople, "UsersApi"],
  [v2, "createUser", { body: { data: { type: "users", attributes: { email: "a@example.com" } } } }, invite, "UsersApi"],
  [v2, "getUser", { userId: id }, readPeople, "UsersApi"],
  [v2, "updateUser", { userId: id, body: patched("users") }, changePeople, "UsersApi"],
  [v2, "disableUser", { userId: id }, changePeople, "UsersApi"],
  [v2, "listUserPermissions", { userId: id }, readPeople, "UsersApi"],
  [v2, "sendInvitations", { body: { data: [invitation] } }, invite, "UsersApi"],
  [v2, "getInvitation", { userInvitationUuid: id }, invite, "UsersApi"],
  [v2, "listPermissions", {}, readPeople, "RolesApi"],
  [v2, "listRoles", {}, readPeople, "RolesApi"],
  [v2, "createRole", { body: created("roles") }, manage, "RolesApi"],
  [v2, "getRole", { roleId: id }, readPeople, "RolesApi"],
  [v2, "updateRole", { roleId: id, body: patched("roles") }, manage, "RolesApi"],
  [v2, "deleteRole", { roleId: id }, manage, "RolesApi"],
  [v2, "cloneRole", { roleId: id, body: created("roles") }, manage, "RolesApi"],
  [v2, "listRoleUsers", { roleId: id }, readPeople, "RolesApi"],
  [v2, "addUserToRole", { roleId: id, body: pointed("users") }, manage, "RolesApi"],
  [v2, "removeUserFromRole", { roleId: id, body: pointed("users") }, manage, "RolesApi"],
  [v2, "listRolePermissions", { roleId: id }, readPeople, "RolesApi"],
  [v2, "addPermissionToRole", { roleId: id, body: pointed("permissions") }, manage, "RolesApi"],
  [v2, "removePermissionFromRole", { roleId: id, body: pointed("permissions") }, manage, "RolesApi"],
  [
    v2,
    "createServiceAccount",
    { body: { data: { type: "users", attributes: { email: "a@example.com", serviceAccount: true } } } },
    machines,
    "ServiceAccountsApi",
  ],
  ...[
    ["listServiceAccountApplicationKeys", {}],
    ["createServiceAccountApplicationKey", { body: created("application_keys") }],
    ["getServiceAccountApplicationKey", { appKeyId: id }],
    ["updateServiceAccountApplicationKey", { appKeyId: id, body: patched("application_keys") }],
    ["deleteServiceAccountApplicationKey", { appKeyId: id }],
    ["listServiceAccountAccessTokens", {}],
    ["createServiceAccountAccessToken", { body: { data: { type: "service_access_tokens", attributes: token } } }],
    ["getServiceAccountAccessToken", { tokenId: id }],
    ["updateServiceAccountAccessToken", { tokenId: id, body: patched("service_access_tokens") }],
    ["revokeServiceAccountAccessToken", { tokenId: id }],
  ].map(([operation, parameters]) => [v2, operation, { ...account, ...parameters }, machines, "ServiceAccountsApi"]),
];
const EVERY_PERMISSION = [...new Set(OPERATIONS.flatMap(([, , , permissions]) => permissions))];

for (const [version, operation, parameters, permissions, family = "KeyManagementApi"] of OPERATIONS) {
  const name = `${version === v1 ? "v1" : "v2"} ${operation}`;
  const call = (given) => {
    const api = new version[family](configuration(given));
    return parameters === undefined ? api[operation]() : api[operation](parameters);
  };

  test(`${name}: unknown API key`, () => refused(call({ apiKey: UNKNOWN_API_KEY }), 403, "Forbidden"));

  test(`${name}: unknown application key`, () =>
    refused(call({ applicationKey: UNKNOWN_APPLICATION_KEY }), 401, "Unauthorized"));

  test(`${name}: scopes that do not reach`, async (t) => {
    const others = EVERY_PERMISSION.filter((permission) => !permissions.includes(permission));
    for (const scopes of [["dashboards_read"], others]) {
      const { attributes } = await makeApplicationKey(t, { scopes });
      await refused(call({ applicationKey: attributes.key }), 403, ...NO_PERMISSION);
    }
  });
}

test("no credentials", async () => {
  const answer = await send("GET", "/api/v2/api_keys", { apiKey: null, applicationKey: null });
  assert.deepEqual([answer.status, answer.text], [403, '{"errors":["API key required"]}']);
});

test("unknown API key, to the byte", async () => {
  const answer = await send("GET", "/api/v2/api_keys", { apiKey: UNKNOWN_API_KEY });
  assert.deepEqual([answer.status, answer.contentType], [403, "application/json"]);
  assert.equal(
    answer.text,
    '{"status":"error","code":403,"errors":["Forbidden"],"statuspage":"http://status.datadoghq.com",' +
      '"twitter":"http://twitter.com/datadogops","email":"support@datadoghq.com"}\n',
  );
});

test("revoked keys", async (t) => {
  const apiKey = await makeApiKey(t);
  const applicationKey = await makeApplicationKey(t);
  const given = { apiKey: apiKey.attributes.key, applicationKey: applicationKey.attributes.key };
  const api = new v2.KeyManagementApi(configuration(given));
  await api.listApplicationKeys();
  await api.deleteApplicationKey({ appKeyId: applicationKey.id });
  await refused(api.listApplicationKeys(), 401, "Unauthorized");
  await send("DELETE", `/api/v2/api_keys/${apiKey.id}`);
  await refused(api.listApplicationKeys(), 403, "Forbidden");
});
