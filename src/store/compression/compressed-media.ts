/** Media types whose bytes are compressed as they are. */
const COMPRESSED =
  /^(?:(?:audio|video)\/.+|image\/(?!svg\+xml$|bmp$|x-ms-bmp$|tiff$).+|font\/woff2?|application\/(?:zip|gzip|x-gzip|x-bzip2?|x-xz|x-7z-compressed|x-rar-compressed|vnd\.rar|zstd|epub\+zip|java-archive|vnd\.openxmlformats-officedocument\..+|vnd\.oasis\.opendocument\..+))$/u;

/** Whether bytes of this media type are compressed already, so that trying it again would be for nothing. */
export function isCompressedMedia(mediaType: string): boolean {
  return COMPRESSED.test(mediaType.toLowerCase());
}
