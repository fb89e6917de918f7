/** Endings of files that hold no text to read: they are left out of a walk without being opened. */
const ENDINGS: ReadonlySet<string> = new Set(
  [
    // Images.
    "png jpg jpeg jpe jfif gif bmp dib webp avif heic heif tif tiff ico icns cur psd psb ai eps xcf raw cr2 cr3 nef arw dng jxl jp2",
    // Sound and film. Not "ts": that is TypeScript.
    "mp3 m4a aac ogg oga opus flac wav aif aiff wma mid midi amr mp4 m4v mov avi mkv webm wmv flv mpg mpeg 3gp ogv m2ts vob swf",
    // Archives and disk images.
    "zip gz tgz bz2 tbz2 xz txz zst lz lz4 lzma br 7z rar tar cab cpio ar deb rpm apk ipa jar war ear dmg iso img vmdk qcow2 crx xpi whl egg",
    // Fonts.
    "ttf otf ttc woff woff2 eot",
    // Programs and what compilers write.
    "exe dll so dylib lib a o obj com msi bin elf ko class pyc pyo pyd wasm node beam rlib pdb dex oat nib",
    // Office and print formats, which this version cannot read.
    "pdf doc docx dot dotx xls xlsx xlsb ppt pptx odt ods odp odg pages numbers key epub mobi azw azw3 djvu xps one vsd vsdx",
    // Databases, models and other data.
    "db db3 sqlite sqlite3 db-wal db-shm db-journal mdb accdb parquet feather arrow orc avro npy npz pkl pickle h5 hdf5 onnx pt pth safetensors gguf tflite lance",
    // 3D, certificates, caches of tools.
    "glb fbx blend 3ds max stl skp dwg p12 pfx jks keystore der swp swo",
  ].flatMap((line) => line.split(" ")),
);

/** Returns the ending of a path, in lower case, where files with it hold no text. */
export function binaryEnding(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  if (dot < 0) return undefined;
  const ending = name.slice(dot + 1).toLowerCase();
  return ENDINGS.has(ending) ? ending : undefined;
}
