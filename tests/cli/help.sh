# Every command explains itself, and the catalogue of errors is there.
try help

sed 's/\\-/-/g' "$source_root/tools/acta.1" >manual.txt

# Those of a command, or of acta itself.
commands() {
    acta help "$@" | sed -nE 's/^  ([a-z]+)( .*)?$/\1/p'
}

check_options() {
    grep -oE '^  (-., )?--[a-z-]+' help.txt | grep -oE '[a-z-]+$' |
        while read -r option; do
            grep -qF -e "--${option#--}" manual.txt ||
                echo "acta.1 does not know $option of $*"
        done
}

check() { # WORD...
    acta help "$@" >help.txt || echo "exit $?"
    acta "$@" --help | cmp - help.txt
    grep -q "^usage: acta $*" help.txt || echo "no usage of $*"
    check_options "$@"
    if grep -q "^More: acta help $* VERB" help.txt; then
        for verb in $(commands "$@"); do
            check "$@" "$verb"
        done
    fi
}

for command in $(commands); do
    grep -q "^.SS $command" manual.txt || echo "acta.1 does not know $command"
    check "$command"
done
for command in consumer 'consumer parked' lease schedule snapshot; do
    for verb in $(commands $command); do
        sed -n "/^.SS $command /,/^.SH/p" manual.txt >part.txt
        grep -qE "^\.(B|BI|BR|SS) (.* )?$verb( |\$)" part.txt ||
            echo "acta.1 does not know $command $verb"
    done
done
try help consumer parked
try help consumer reset
try consumer
try consumer burn
try consumer parked burn
try help consumer burn
try help nonsense
try errors
try errors --json | tail -1
