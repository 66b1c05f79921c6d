#!/bin/sh
# Build static/vendor from the pinned npm packages, with a manifest of SHA-256 that a test holds the files to.
set -eu
cd "$(dirname "$0")"
vendor=../static/vendor
frontend=node_modules/govuk-frontend

rm -rf "$vendor"
mkdir -p "$vendor"
node_modules/.bin/sass --no-source-map --style=compressed --load-path="$frontend/dist" govuk.scss "$vendor/govuk-frontend.css"
# The map that its last line names is not shipped.
sed 's,//# sourceMappingURL=.*,,' "$frontend/dist/govuk/govuk-frontend.min.js" >"$vendor/govuk-frontend.js"

node --input-type=module - "$vendor" <<'SCRIPT'
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const vendor = process.argv[2];
const version = JSON.parse(readFileSync("node_modules/govuk-frontend/package.json", "utf8")).version;
const digest = (name) => createHash("sha256").update(readFileSync(`${vendor}/${name}`)).digest("hex");
const files = Object.fromEntries(readdirSync(vendor).sort().map((name) => [name, digest(name)]));
const manifest = { source: `govuk-frontend ${version} (MIT, Crown copyright)`, files };
writeFileSync(`${vendor}/manifest.json`, JSON.stringify(manifest, null, 2) + "\n");
SCRIPT
