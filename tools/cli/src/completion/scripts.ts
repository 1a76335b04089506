export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** What a shell runs once; it asks `vantage __complete` for each Tab, and offers files where that knows nothing. */
export const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `_vantage() {
  local word="\${COMP_WORDS[COMP_CWORD]}" line
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("\${line%%$'\\t'*}"); done < <(vantage __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [ "\${#COMPREPLY[@]}" -eq 0 ] && COMPREPLY=($(compgen -f -- "$word"))
}
complete -o filenames -F _vantage vantage azdacli
`,
  zsh: `#compdef vantage azdacli
_vantage() {
  local -a found
  local line
  while IFS= read -r line; do found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}"); done < <(vantage __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe 'vantage' found; else _files; fi
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
