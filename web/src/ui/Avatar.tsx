/** Initials on a colour that stays the same for the same name. */

const HUES = [174, 205, 232, 268, 318, 352, 22, 40];

function initialsOf(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined];
  return letters
    .map((word) => (word ? [...word][0] : ""))
    .join("")
    .toUpperCase();
}

function hueOf(name: string): number {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return HUES[sum % HUES.length] ?? 174;
}

export function Avatar({ name, talking }: { name: string; talking: boolean }) {
  return (
    <span
      className={talking ? "avatar talking" : "avatar"}
      style={{ "--hue": hueOf(name) } as React.CSSProperties}
      aria-hidden="true"
    >
      {initialsOf(name)}
    </span>
  );
}
