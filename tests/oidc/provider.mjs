// A certified OpenID provider on the loopback, for the tests of signing in. What it is comes in one JSON argument:
// where its packages are, its port, its client, and the file of its accounts' claims, read anew at each sign-in. Keys
// are made at each start, so that starting it again under the same address rotates them.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const told = JSON.parse(process.argv[2]);
const { default: Provider } = await import(pathToFileURL(`${told.packages}/node_modules/oidc-provider/lib/index.js`));
const issuer = `http://127.0.0.1:${told.port}`;
const key = { ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig" };

const provider = new Provider(issuer, {
  clients: [{
    client_id: told.clientId,
    client_secret: told.secret,
    redirect_uris: told.redirects,
    post_logout_redirect_uris: told.left,
    backchannel_logout_uri: told.logout,
    backchannel_logout_session_required: true,
  }],
  jwks: { keys: [key] },
  cookies: { keys: ["for-tests-only"] },
  scopes: ["openid", "email", "groups"],
  claims: { openid: ["sub", "amr"], email: ["email", "email_verified"], groups: ["groups"], acr: null, sid: null, auth_time: null, iss: null },
  acrValues: ["second-step"],
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
  // Its own guard would keep it from calling a site on the loopback.
  fetch: (url, { dispatcher: _guarded, ...options }) => fetch(url, options),
  interactions: { url: (_ctx, interaction) => `/choose/${interaction.uid}` },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...JSON.parse(readFileSync(told.accounts))[id] }) }),
  // Nobody is asked for consent: it is the agency's own provider.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid email groups");
    await grant.save();
    return grant;
  },
});

const answer = provider.callback();
createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  if (!url.pathname.startsWith("/choose/")) return answer(request, response);
  const asked = url.searchParams;
  if (!asked.has("login") && !asked.has("cancel")) {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    return response.end('<!DOCTYPE html><title>Council account</title><link rel="icon" href="data:,"><a href="?login=known&amp;second=1">Sign in as known</a>');
  }
  const second = asked.has("second") ? { acr: "second-step", amr: ["pwd", "mfa"] } : { amr: ["pwd"] };
  const result = asked.has("cancel") ? { error: "access_denied" } : { login: { accountId: asked.get("login"), ...second } };
  await provider.interactionFinished(request, response, result);
}).listen(told.port, "127.0.0.1", () => console.log("ready"));
