"use strict";
// Calipers on the strips: drag with a mouse, tap twice, or the keyboard. Nothing is sent anywhere.
for (const figure of document.querySelectorAll("figure.ecg")) {
  const sheet = figure.querySelector(".sheet"), told = figure.querySelector("output"), zoom = figure.querySelector("button");
  const MM_PER_S = 25, MM_PER_MV = 10;
  const rows = Array.from(figure.querySelectorAll(".row"), (svg) => {
    const [begin, top, low, high, rate] = ["begin", "top", "low", "high", "rate"].map((name) => Number(svg.dataset[name]));
    const mark = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "rect"));
    mark.setAttribute("class", "caliper");
    return { svg, mark, begin, end: begin + svg.viewBox.baseVal.width / MM_PER_S, top, low, high, step: 1 / rate };
  });
  if (!rows.length) continue;
  const { low, high, step } = rows[0], first = rows[0].begin, last = rows.at(-1).end;
  let a = null, b = null; // {s, mv}: seconds of the strip, millivolts

  const within = (x, least, most) => Math.min(Math.max(x, least), most);
  const at = (event) => {
    // Of rows side by side, or below one another, the one that is nearest to the pointer.
    const away = ({ left, right, top, bottom }) =>
      Math.max(left - event.clientX, event.clientX - right, 0) + Math.max(top - event.clientY, event.clientY - bottom, 0);
    const [row, box] = rows.map((row) => [row, row.svg.getBoundingClientRect()]).reduce((x, y) => (away(y[1]) < away(x[1]) ? y : x));
    const mm = row.svg.viewBox.baseVal.width / box.width;
    return {
      s: within(row.begin + ((event.clientX - box.left) * mm) / MM_PER_S, row.begin, row.end),
      mv: within(high - ((event.clientY - box.top) * mm - row.top) / MM_PER_MV, low, high),
    };
  };
  const show = () => {
    const [left, right] = a && b ? [Math.min(a.s, b.s), Math.max(a.s, b.s)] : [0, 0];
    for (const { mark, begin, end, top } of rows) {
      mark.style.display = a && b && left <= end && right >= begin ? "" : "none";
      if (mark.style.display) continue;
      const x = Math.max(left, begin);
      mark.setAttribute("x", (x - begin) * MM_PER_S);
      mark.setAttribute("width", (Math.min(right, end) - x) * MM_PER_S);
      mark.setAttribute("y", top + (high - Math.max(a.mv, b.mv)) * MM_PER_MV);
      mark.setAttribute("height", Math.abs(b.mv - a.mv) * MM_PER_MV);
    }
    const ms = Math.round(1000 * (right - left));
    const rate = ms >= 200 ? ` (${Math.round(60000 / ms)} /min)` : "";
    told.textContent = a && b ? `${ms} ms${rate}, ${Math.abs(b.mv - a.mv).toFixed(2)} mV` : "";
  };
  const follow = () => {
    const { svg, begin, end } = rows.find((row) => b.s <= row.end) ?? rows.at(-1);
    const box = svg.getBoundingClientRect(), seen = sheet.getBoundingClientRect();
    const x = box.left + ((b.s - begin) / (end - begin)) * box.width;
    if (x < seen.left + 20) sheet.scrollLeft -= seen.left + 60 - x;
    if (x > seen.right - 20) sheet.scrollLeft += x + 60 - seen.right;
  };

  let dragging = false;
  sheet.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button !== 0 || !event.target.closest(".row")) return;
    dragging = true;
    sheet.setPointerCapture(event.pointerId);
    a = b = at(event);
    show();
  });
  sheet.addEventListener("pointermove", (event) => {
    if (dragging) { b = at(event); show(); }
  });
  for (const end of ["pointerup", "pointercancel"]) sheet.addEventListener(end, () => { dragging = false; });
  sheet.addEventListener("click", (event) => {
    if (event.pointerType !== "touch") return; // a finger scrolls; its taps set one end after the other
    if (a && a === b) b = at(event); else a = b = at(event);
    show();
  });
  sheet.addEventListener("keydown", (event) => {
    const by = event.shiftKey ? 10 : 1;
    const way = { ArrowLeft: [-by * step, 0], ArrowRight: [by * step, 0], ArrowUp: [0, by * 0.05], ArrowDown: [0, -by * 0.05], Home: [first - last, 0], End: [last - first, 0] }[event.key];
    if (way) {
      const seen = sheet.getBoundingClientRect();
      b = b || at({ clientX: (seen.left + seen.right) / 2, clientY: seen.top + rows[0].svg.getBoundingClientRect().height / 2 });
      a = a || b;
      b = { s: within(b.s + way[0], first, last), mv: within(b.mv + way[1], low, high) };
      follow();
    } else if (event.key === "Enter" && b) a = b;
    else if (event.key === "Escape") a = b = null;
    else return;
    event.preventDefault();
    show();
  });
  zoom.addEventListener("click", () => {
    const middle = (sheet.scrollLeft + sheet.clientWidth / 2) / sheet.scrollWidth;
    zoom.setAttribute("aria-pressed", String(figure.classList.toggle("large")));
    sheet.scrollLeft = middle * sheet.scrollWidth - sheet.clientWidth / 2;
  });
  figure.querySelector(".tools").hidden = false; // without scripts there is nothing to press
  show();
}
