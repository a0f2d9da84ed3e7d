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

// The dialog gives the focus to its last field and so scrolls the first, which people need, out of sight.
let isOpen = false;
new MutationObserver(() => {
    const name = document.getElementById('oauth_username');
    if (name && !isOpen) {
        requestAnimationFrame(() => {
            name.focus({ preventScroll: true });
            name.scrollIntoView({ block: 'center' });
        });
    }
    isOpen = name !== null;
}).observe(document.getElementById('swagger-ui'), { childList: true, subtree: true });
