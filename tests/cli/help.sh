# Every command explains itself, and the catalogue of errors is there.
try help
for command in ping status append read query tail event streams categories \
    types tags stream erase import export errors help; do
    acta help $command >help.txt || echo "exit $?"
    acta $command --help | cmp - help.txt
    grep -q "^usage: acta $command" help.txt || echo "no usage of $command"
    grep -q "^.SS $command" "$source_root/tools/acta.1" ||
        echo "acta.1 does not know $command"
    grep -oE '^  (-., )?--[a-z-]+' help.txt | grep -oE '[a-z-]+$' |
        while read -r option; do
            grep -qF -e "--${option#--}" <(sed 's/\\-/-/g' \
                "$source_root/tools/acta.1") ||
                echo "acta.1 does not know $option of $command"
        done
done
try help nonsense
try errors
try errors --json | tail -1
