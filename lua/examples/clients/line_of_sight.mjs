// A client of ../10_line_of_sight.lua for node, without packages.
//
//     node line_of_sight.mjs http://127.0.0.1:8080 rays.bin hits.bin    the bytes as they are
//     node line_of_sight.mjs http://127.0.0.1:8080                      looks around from a roof
//
// A ray is six f32 without gaps, so a Float32Array is an array of rays (all numbers are
// little-endian, as are the machines that run this). A hit has integers, too, and is read with a
// DataView, which takes any offset; /_schema/hit.ts is such a reader made by the server.

const RAY_SIZE = 24;
const HIT_SIZE = 32;

/** Reads the hit that begins at `offset`. prim and inst count from 1; 0 is none. */
export function readHit(view, offset) {
  const f32 = (at) => view.getFloat32(offset + at, true);
  const u32 = (at) => view.getUint32(offset + at, true);
  return {
    t: f32(0), u: f32(4), v: f32(8), prim: u32(12), inst: u32(16),
    normal: [f32(20), f32(24), f32(28)],
  };
}

/** Sends rays, (origin, direction) of 3 numbers each, and returns the answer's bytes. */
export async function intersect(server, rays) {
  if (rays.byteLength % RAY_SIZE) throw new RangeError("a ray has 24 bytes");
  const answer = await fetch(new URL("/hits", server), { method: "POST", body: rays });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  const kind = answer.headers.get("perilune-struct");
  if (!kind.startsWith("hit;")) throw new Error(`the answer is ${kind}`);
  return answer.arrayBuffer();
}

export function hitsOf(bytes) {
  const view = new DataView(bytes);
  return Array.from({ length: bytes.byteLength / HIT_SIZE }, (_, i) => readHit(view, i * HIT_SIZE));
}

/** Rays from one place to all sides, slightly downwards. */
export function lookAround(eye, count) {
  const rays = new Float32Array(6 * count);
  for (let i = 0; i < count; i++) {
    const angle = (2 * Math.PI * i) / count;
    rays.set([...eye, Math.sin(angle), -0.1, Math.cos(angle)], 6 * i);
  }
  return rays;
}

async function main(server, input, output) {
  if (input) {
    const { readFile, writeFile } = await import("node:fs/promises");
    return writeFile(output, new Uint8Array(await intersect(server, await readFile(input))));
  }
  const hits = hitsOf(await intersect(server, lookAround([57, 12, 57], 360)));
  const seen = hits.filter((hit) => Number.isFinite(hit.t));
  const houses = new Set(seen.filter((hit) => hit.inst === 2).map((hit) => hit.prim));
  const nearest = Math.min(...seen.map((hit) => hit.t)).toFixed(2);
  console.log(
    `${hits.length} rays, ${seen.length} hits; nearest ${nearest}, ${houses.size} houses`);
}

if (process.argv[1]?.endsWith("line_of_sight.mjs")) await main(...process.argv.slice(2));
