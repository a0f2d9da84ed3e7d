'use strict';

// Fonts that every machine has: ReDoc's own would come from another host.
const sans = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
const mono = 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace';

Redoc.init('/openapi.json', {
    pathInMiddlePanel: true,
    sortRequiredPropsFirst: true,
    theme: {
        typography: {
            fontFamily: sans,
            headings: { fontFamily: sans },
            code: { fontFamily: mono },
        },
    },
}, document.getElementById('redoc'));
