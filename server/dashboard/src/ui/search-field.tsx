/** Where one searches a page; `/` leads here. */
import { Icon } from "./icons.tsx";

interface SearchFieldProps {
  readonly value: string;
  readonly change: (text: string) => void;
  readonly placeholder: string;
  readonly label?: string;
}

export function SearchField({ value, change, placeholder, label = "Search" }: SearchFieldProps) {
  return (
    <label className="search">
      <span className="hidden">{label}</span>
      <Icon name="search" />
      <input type="search" value={value} placeholder={placeholder} onChange={({ target }) => change(target.value)} />
    </label>
  );
}
