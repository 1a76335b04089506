export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** What a shell runs once; it asks `vantage __complete` for each Tab, and offers files where that knows nothing. */
export const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `_vantage() {
  local -a words=()
  local word line i
  # Bash takes path=value apart at the sign.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if ((i > 1)) && [[ "$word" == "=" || "\${COMP_WORDS[i - 1]}" == "=" ]]; then words[\${#words[@]}-1]+="$word"
    else words+=("$word"); fi
  done
  word="\${words[\${#words[@]}-1]//\\\\/}"
  words[\${#words[@]}-1]="$word"
  COMPREPLY=()
  while IFS= read -r line; do
    line="\${line%%$'\\t'*}"
    [[ "$word" == *=* ]] && line="\${line#*=}"
    [[ "$line" == *[.=] ]] && compopt -o nospace 2>/dev/null
    COMPREPLY+=("$line")
  done < <(vantage __complete -- "\${words[@]}" 2>/dev/null)
  [ "\${#COMPREPLY[@]}" -eq 0 ] && COMPREPLY=($(compgen -f -- "$word"))
}
complete -o filenames -F _vantage vantage azdacli
`,
  zsh: `#compdef vantage azdacli
_vantage() {
  local -a found open
  local line text
  while IFS= read -r line; do
    text="\${line%%$'\\t'*}"
    line="\${text//:/\\\\:}:\${line#*$'\\t'}"
    if [[ $text == *[.=] ]]; then open+=("$line"); else found+=("$line"); fi
  done < <(vantage __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} + \${#open} == 0 )); then _files; return; fi
  (( \${#found} )) && _describe 'vantage' found
  (( \${#open} )) && _describe 'vantage' open -S ''
}
compdef _vantage vantage azdacli
`,
  fish: `function __vantage_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (vantage __complete -- $words[2..-1] 2>/dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c vantage -c azdacli -f -a '(__vantage_complete)'
`,
};
