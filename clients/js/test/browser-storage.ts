/** The storage of a browser: strings by key, shared by all pages. */
export function browserStorage(): Storage {
  const items = Object.create({
    getItem: (key: string) => items[key] ?? null,
    setItem: (key: string, text: string) => void (items[key] = text),
    removeItem: (key: string) => void delete items[key],
  }) as Record<string, string> & Storage;
  return items;
}
