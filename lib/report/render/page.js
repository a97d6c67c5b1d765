/**
 * What report.html can do where scripts run: the navigation shows where the reader is.
 *
 * @module
 */

const links = new Map(
  [...document.querySelectorAll("nav a")].map((link) => [link.getAttribute("href"), link]),
);
const sections = [...document.querySelectorAll("main section")];
const seen = new Set();
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) seen.add(target);
    else seen.delete(target);
  }
  const current = sections.find((section) => seen.has(section));
  for (const [address, link] of links) {
    if (address === `#${current?.id}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}, { rootMargin: "-5% 0px -60% 0px" });
for (const section of sections) observer.observe(section);
