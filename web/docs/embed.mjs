// Makes what cmake/Embed.cmake puts into the binary: assets.bin (every file and, where smaller, its gzip form, end to end),
// assets.S (one .incbin) and asset_table.inc (names in order, with offsets). Called as `node embed.mjs OUTPUT_FOLDER`, which holds
// manifest.txt: one `name=path` a line. The same input gives the same bytes.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const packages = ['swagger-ui-dist', 'redoc', 'yaml'];
const swaggerUi = join(here, 'node_modules/swagger-ui-dist');
const redoc = join(here, 'node_modules/redoc');

function stop(sentence) {
    console.error(sentence);
    process.exit(1);
}

function isInstalled(name, lock) {
    const path = join(here, 'node_modules', name, 'package.json');
    return existsSync(path) && JSON.parse(readFileSync(path)).version === lock.packages[`node_modules/${name}`].version;
}

// Leaves an installation of the right versions alone: it may hold the linter, which `--omit=dev` would remove.
function fetchPackages() {
    const lock = JSON.parse(readFileSync(join(here, 'package-lock.json')));
    if (packages.every((name) => isInstalled(name, lock))) return;
    const npm = spawnSync(process.env.NPM ?? 'npm', ['ci', '--omit=dev', '--no-progress', '--loglevel=error'], {
        cwd: here,
        stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (npm.status !== 0 || !packages.every((name) => isInstalled(name, lock)))
        stop('Swagger UI and ReDoc are missing and could not be fetched: with a network, run `npm ci --omit=dev` in web/docs and build again.');
}

// ReDoc asks another host for its logo; without one it shows its name alone, which it does by itself when the picture fails.
function redocWithoutLogo() {
    const text = readFileSync(join(redoc, 'bundles/redoc.standalone.js'), 'utf8');
    const parts = text.split('"https://cdn.redoc.ly/redoc/logo-mini.svg"');
    if (parts.length !== 2) stop('web/docs/embed.mjs: this version of ReDoc loads its logo in another way; look for it in redoc.standalone.js.');
    return Buffer.from(parts.join('"data:,"').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'));
}

async function readAll(folder) {
    const files = new Map();
    for (const line of readFileSync(join(folder, 'manifest.txt'), 'utf8').split('\n').filter(Boolean)) {
        const at = line.indexOf('=');
        files.set(line.slice(0, at), readFileSync(line.slice(at + 1)));
    }
    const { parse } = await import('yaml');
    files.set('openapi.json', Buffer.from(JSON.stringify(parse(files.get('openapi.yaml').toString('utf8')))));
    for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt', 'oauth2-redirect.html', 'oauth2-redirect.js',
        'favicon-32x32.png'])
        files.set(`docs/${name}`, readFileSync(join(swaggerUi, name)));
    files.set('docs/swagger-ui.LICENSE.txt', readFileSync(join(swaggerUi, 'LICENSE')));
    files.set('docs/redoc.standalone.js', redocWithoutLogo());
    files.set('docs/redoc.standalone.js.LICENSE.txt', readFileSync(join(redoc, 'bundles/redoc.standalone.js.LICENSE.txt')));
    files.set('docs/redoc.LICENSE.txt', readFileSync(join(redoc, 'LICENSE')));
    return files;
}

function write(folder, files) {
    const chunks = [];
    let offset = 0;
    const place = (bytes) => {
        const at = offset;
        chunks.push(bytes);
        offset += bytes.length;
        return at;
    };
    const rows = [...files.keys()].sort().map((name) => {
        const bytes = files.get(name);
        const gzip = gzipSync(bytes, { level: 9 });
        const small = gzip.length < bytes.length ? gzip : Buffer.alloc(0);
        return `ASSET(${JSON.stringify(name)}, ${place(bytes)}, ${bytes.length}, ${place(small)}, ${small.length})`;
    });
    const blob = Buffer.concat(chunks);
    writeFileSync(join(folder, 'assets.bin'), blob);
    writeFileSync(join(folder, 'asset_table.inc'), `BLOB(${blob.length})\n${rows.join('\n')}\n`);
    // The digest makes the text change with the bytes, for caches that go by text. The note keeps the stack from being executable.
    writeFileSync(join(folder, 'assets.S'), `// ${createHash('sha256').update(blob).digest('hex')}
    .section .rodata
    .balign 64
    .global boxoffice_assets_blob
    .type boxoffice_assets_blob, %object
    .size boxoffice_assets_blob, ${blob.length}
boxoffice_assets_blob:
    .incbin ${JSON.stringify(join(folder, 'assets.bin'))}
    .section .note.GNU-stack, "", %progbits
`);
}

if (process.argv.length !== 3) stop('usage: node embed.mjs OUTPUT_FOLDER');
fetchPackages();
write(process.argv[2], await readAll(process.argv[2]));
