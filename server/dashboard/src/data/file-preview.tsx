/** A file of a document: what there is to know of it, a way to open it, and the image if it is one. */
import type { ShownFile } from "../api/hub.ts";
import { useSynovia } from "synovia-client/react";
import { bytes } from "../ui/format.ts";

/** Larger images are not loaded unasked. */
const MOST_BYTES = 10_000_000;

export function FilePreview({ file: { field, name, type, size, address, isImage } }: { file: ShownFile }) {
  const url = useSynovia().fileUrl(address);
  return (
    <figure className="file">
      <figcaption>
        <code>{field}</code>
        <a className="reference" href={url} target="_blank" rel="noreferrer">
          {name}
        </a>
        <span className="hint">
          {type}, {bytes(size)}
        </span>
      </figcaption>
      {isImage && size <= MOST_BYTES && <img src={url} alt={name} loading="lazy" />}
    </figure>
  );
}
