// The certified OpenID provider `oidc-provider`, at the addresses of one of our services. Told what to be by $PROVIDER.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const told = JSON.parse(process.env.PROVIDER);
const counts = {};
const provider = new Provider(told.issuer, {
  clients: [{
    client_id: told.client_id,
    client_secret: told.client_secret,
    redirect_uris: [told.redirect_uri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  routes: told.routes,
  scopes: told.scopes,
  pkce: { required: () => true, methods: ['S256'] },
  issueRefreshToken: async () => true,
  rotateRefreshToken: true, // and a refresh token that comes back ends its grant
  features: { revocation: { enabled: true }, devInteractions: { enabled: true } },
  claims: { openid: ['sub', 'email', 'preferred_username', 'organization_id'] },
  ttl: { AuthorizationCode: told.code_seconds, AccessToken: 3600, RefreshToken: 86400, Grant: 86400, Interaction: 600, Session: 600, IdToken: 600 },
  cookies: { keys: ['a-key-of-the-tests'] },
  findAccount: async (_, sub) => ({
    accountId: sub,
    claims: async () => ({
      sub, email: `${sub}@service.example`, preferred_username: `${sub}@service.example`, organization_id: '00Dx0000000000AAA',
    }),
  }),
});
for (const kind of ['authorization_code', 'refresh_token']) {
  provider.on('grant.success', ({ oidc }) => { if (oidc.params.grant_type === kind) counts[kind] = (counts[kind] || 0) + 1; });
}
provider.on('grant.error', (_, error) => { counts[error.error] = (counts[error.error] || 0) + 1; });
provider.on('grant.revoked', () => { counts.revoked = (counts.revoked || 0) + 1; });
provider.on('refresh_token.destroyed', () => { counts.destroyed = (counts.destroyed || 0) + 1; });

const handle = provider.callback();
createServer((request, response) => {
  if (request.url !== '/counts') return handle(request, response);
  response.setHeader('Content-Type', 'application/json');
  return response.end(JSON.stringify(counts));
}).listen(told.port, '127.0.0.1', () => console.log('ready'));
