'use strict';

const ui = SwaggerUIBundle({
    url: '/openapi.json',
    dom_id: '#swagger-ui',
    presets: [SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
    deepLinking: true,
    displayRequestDuration: true,
    oauth2RedirectUrl: `${location.origin}/docs/oauth2-redirect.html`,
    // The validator badge would send the document to another host.
    validatorUrl: null,
});
// The password flow needs a client id to exist, the server none in particular.
ui.initOAuth({ clientId: 'boxoffice', appName: 'boxoffice' });
