// Search and copy for the reference page; everything is readable without it.
const search = document.querySelector('input[type=search]');
search.addEventListener('input', () => {
  const wanted = search.value.trim().toLowerCase();
  for (const article of document.querySelectorAll('article')) article.hidden = !article.dataset.find.includes(wanted);
  for (const section of document.querySelectorAll('main section:not(#start)'))
    section.hidden = !section.querySelector('article:not([hidden])');
});
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && document.activeElement !== search) { event.preventDefault(); search.focus(); }
});
document.addEventListener('click', async (event) => {
  if (!event.target.matches('.sample button')) return;
  await navigator.clipboard.writeText(event.target.previousElementSibling.textContent);
  event.target.textContent = 'copied';
  setTimeout(() => { event.target.textContent = 'copy'; }, 1500);
});
