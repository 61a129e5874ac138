// How many pixels of the map have each colour, the most frequent first.
() => {
  const floor = document.getElementById("floor"), found = new Map();
  const data = new Uint32Array(floor.getContext("2d").getImageData(0, 0, floor.width, floor.height).data.buffer);
  for (const colour of data) found.set(colour, (found.get(colour) || 0) + 1);
  return [...found.values()].sort((one, other) => other - one);
}
