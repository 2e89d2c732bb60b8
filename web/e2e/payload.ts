/** What a stranger writes who hopes that a page takes it for its own. */
export const payload = '<img src=x onerror="window.struck=1">';

/** Run in the page: whether it was taken for that. */
export const struck = () => (window as { struck?: number }).struck;
