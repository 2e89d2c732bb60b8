// A store of the browser (IndexedDB) for what may not be lost with a closed page.

/** What acts in a store of one database; what it wrote counts as kept only once it is on disk. */
export function storeOf(name: string, store: string, keyPath: string) {
  const open = (): Promise<IDBDatabase> =>
    new Promise((resolve, reject) => {
      const opening = indexedDB.open(name, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(store, { keyPath });
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error ?? new Error("the browser keeps nothing"));
    });
  return async <T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const database = await open();
    try {
      return await new Promise<T>((resolve, reject) => {
        const transaction = database.transaction(store, mode, { durability: "strict" });
        const asked = act(transaction.objectStore(store));
        transaction.oncomplete = () => resolve(asked.result);
        transaction.onabort = () => reject(transaction.error ?? new Error("the browser keeps nothing"));
      });
    } finally {
      database.close();
    }
  };
}
