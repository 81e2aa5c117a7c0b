// The third party: a certified authorization server, as it is, behind TLS, and beside its token endpoint some that go
// wrong as providers do.
//
// People log in and agree by its own development pages. What it issues is noted, so that tests can look at it from the
// provider's side.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import https from "node:https";
import { Provider } from "oidc-provider";

export const DOMAIN = "provider.example";
export const ISSUER = `https://login.${DOMAIN}`;
export const AUTHORIZE = `${ISSUER}/auth`;
export const TOKEN = `${ISSUER}/token`;
// Where an app of somebody's would be, which a browser is sent back to at last.
export const APP = `https://app.${DOMAIN}`;

// Answers late, but not too late.
export const LATE_TOKEN = `https://late.${DOMAIN}/token`;
// Goes wrong as the test says, and otherwise well.
export const MOODY_TOKEN = `https://moody.${DOMAIN}/token`;

const LATE_MS = 1_500;
const LONG_SECONDS = 3600;
// Less than a minute: tokens that end so soon are renewed whenever they are asked for.
const BRIEF_SECONDS = 30;

const secret = () => randomBytes(32).toString("hex");
const client = (client_id) => ({ client_id, client_secret: secret() });
// Browsers are sent through these, and so a person takes part; the other's tokens are brief.
export const WEB = client("web");
export const BRIEF_WEB = client("web-brief");
// These act for themselves.
export const MACHINE = client("machine");
export const BRIEF_MACHINE = client("machine-brief");

export const CLIENTS = [WEB, BRIEF_WEB, MACHINE, BRIEF_MACHINE];

const inBody = { token_endpoint_auth_method: "client_secret_post" };

function configuration(callback) {
  const ofPeople = (known) => ({
    ...known,
    ...inBody,
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: [callback],
  });
  const ofItself = (known) => ({
    ...known,
    ...inBody,
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
  });
  const seconds = (_, token, { clientId }) => (clientId.endsWith("-brief") ? BRIEF_SECONDS : LONG_SECONDS);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    clients: [...[WEB, BRIEF_WEB].map(ofPeople), ...[MACHINE, BRIEF_MACHINE].map(ofItself)],
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
    },
    pkce: { required: () => true },
    scopes: ["orders:read", "orders:write"],
    // A used refresh token that comes again takes the whole grant with it.
    rotateRefreshToken: true,
    issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
    ttl: {
      AccessToken: seconds,
      ClientCredentials: seconds,
      AuthorizationCode: 60,
      Grant: LONG_SECONDS,
      Interaction: LONG_SECONDS,
      RefreshToken: LONG_SECONDS,
      Session: LONG_SECONDS,
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    cookies: { keys: [secret()] },
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig" }] },
  };
}

// What goes wrong, by its name.
const FAULTS = {
  silent: () => {}, // held until whoever asks gives up
  trickling: (_, answer) => {
    answer.writeHead(200, { "content-type": "application/json" });
    const timer = setInterval(() => answer.write(" "), 200);
    answer.on("close", () => clearInterval(timer));
  },
  "broken-off": (_, answer) => {
    answer.writeHead(200, { "content-type": "application/json", "content-length": "500" });
    answer.write('{"access_token":"');
    setTimeout(() => answer.destroy(), 50);
  },
  html: (_, answer) => say(answer, 200, "text/html", "<html><body>Welcome back!</body></html>"),
  "no-object": (_, answer) => say(answer, 200, "application/json", '["access_token"]'),
  "no-token": (_, answer) => say(answer, 200, "application/json", '{"token_type":"Bearer","expires_in":60}'),
  "token-of-lines": (_, answer) =>
    say(answer, 200, "application/json", '{"access_token":"a\\r\\nX-Injected: 1","token_type":"Bearer"}'),
  endless: (_, answer) => {
    answer.writeHead(200, { "content-type": "application/json" });
    const more = () => {
      while (!answer.destroyed && answer.write("x".repeat(65_536)));
    };
    answer.on("drain", more);
    more();
  },
  failing: (_, answer) => say(answer, 500, "text/html", "<h1>Internal Server Error</h1>"),
  "asking-for-patience": (_, answer) => {
    answer.setHeader("retry-after", "30");
    say(answer, 429, "application/json", '{"error":"slow_down"}');
  },
  moved: (request, answer) => {
    answer.writeHead(307, { location: `https://elsewhere.${DOMAIN}/token` });
    answer.end();
  },
  refusing: (_, answer) => say(answer, 400, "application/json", '{"error":"invalid_client"}'),
};

// The token endpoint that goes wrong in one way.
export const tokenWith = (fault) => `https://faulty.${DOMAIN}/${fault}/token`;

function say(answer, status, type, text) {
  answer.writeHead(status, { "content-type": type });
  answer.end(text);
}

// Starts it, for as long as this process runs; `stop` ends it sooner.
export async function startProvider({ address, key, certificate, callback }) {
  const provider = new Provider(ISSUER, configuration(callback));
  const seen = { grants: [], refusals: [], elsewhere: 0, faults: new Map() };
  const moody = { fault: null };
  const goWrong = (fault, request, answer) => {
    seen.faults.set(fault, (seen.faults.get(fault) ?? 0) + 1);
    FAULTS[fault](request, answer);
  };
  provider.on("grant.success", ({ oidc, body }) => seen.grants.push({ ...oidc.params, issued: body }));
  provider.on("grant.error", ({ oidc }, error) => seen.refusals.push({ ...oidc.params, error: error.error }));
  const standard = provider.callback();

  const hosts = {
    [`login.${DOMAIN}`]: standard,
    [`app.${DOMAIN}`]: (_, answer) => say(answer, 200, "text/plain", "This is the app."),
    [`elsewhere.${DOMAIN}`]: (_, answer) => {
      seen.elsewhere += 1;
      say(answer, 200, "application/json", '{"access_token":"stolen","token_type":"Bearer"}');
    },
    [`late.${DOMAIN}`]: (request, answer) => setTimeout(() => standard(request, answer), LATE_MS),
    [`moody.${DOMAIN}`]: (request, answer) =>
      moody.fault ? goWrong(moody.fault, request, answer) : standard(request, answer),
    [`faulty.${DOMAIN}`]: (request, answer) => goWrong(request.url.split("/")[1], request, answer),
  };
  const tls = { key: readFileSync(key), cert: readFileSync(certificate) };
  const server = https.createServer(tls, (request, answer) => {
    const handle = hosts[request.headers.host?.split(":")[0]];
    if (handle) handle(request, answer);
    else say(answer, 404, "text/plain", "There is no such host.");
  });
  const [host, port] = address.split(":");
  await new Promise((resolve, reject) => server.on("error", reject).listen(Number(port), host, resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { seen, moody, stop };
}
