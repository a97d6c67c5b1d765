const ROOT = new URL("../../", import.meta.url);

/** Folders that are not in the repository, or whose text is not ours. */
const SKIPPED = [".git", "node_modules", "reports", "vendor"];

/** The files under a folder of the project (`""`: all of it), as paths from the project's folder. */
export async function filesUnder(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (!isDirectory) paths.push(path);
    else if (!SKIPPED.includes(name)) paths.push(...await filesUnder(path));
  }
  return paths.filter((path) => !path.endsWith(".got") && path !== ".env");
}
