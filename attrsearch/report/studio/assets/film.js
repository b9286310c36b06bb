// Frames as pictures: exact ones, kept for a while, and small ones from all over the film.

const KEPT = 48;

async function picture(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(await answer.text());
  return createImageBitmap(await answer.blob());
}

/** Exact frames, those near the shown one asked for before they are needed. */
export function frameCache(job, sides, wide) {
  const kept = new Map();
  const get = (side, number) => {
    const key = `${side}-${number}`;
    if (!kept.has(key)) {
      const coming = picture(`api/jobs/${job.id}/frame/${side}/${number}?width=${wide}`);
      coming.catch(() => kept.delete(key));
      kept.set(key, coming);
      if (kept.size > KEPT) {
        const oldest = kept.keys().next().value;
        kept.get(oldest).then((old) => old.close(), () => {});
        kept.delete(oldest);
      }
    }
    return kept.get(key);
  };
  return {
    has: (number) => sides.every((side) => kept.has(`${side}-${number}`)),
    both: (number) => Promise.all(sides.map((side) => get(side, number).catch((error) => error))),
    ahead: (number) => sides.forEach((side) => get(side, number).catch(() => {})),
  };
}

/** The last small frame at or before another: [sheet, left, top, width, height]; null where there is none yet. */
function nearest(strip, number) {
  if (!strip?.sheet) return null;
  const { frames, columns, width, height } = strip.layout;
  const after = frames.findIndex((frame) => frame > number);
  const place = after < 0 ? frames.length - 1 : Math.max(0, after - 1);
  return [strip.sheet, width * (place % columns), height * Math.floor(place / columns), width, height];
}

/** Small frames of each side, one picture a side for the whole film. */
export function filmStrips(job, view, sides) {
  const strips = Object.fromEntries(sides.filter((side) => view.strips?.[side]).map((side) => [side, { layout: view.strips[side], sheet: null }]));
  const load = async () => {
    for (const [side, strip] of Object.entries(strips)) strip.sheet = await picture(`api/jobs/${job.id}/strip/${side}`).catch(() => null);
  };
  return { load, at: (side, number) => nearest(strips[side], number) };
}
