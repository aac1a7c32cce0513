# An empty list: told on a terminal, and nothing at all elsewhere.
command -v script >/dev/null || skip 'there is no script(1)'
start_server
acta consumer create -q mailers --stream order-43

on_terminal() {
    script -qec "'$build/tools/acta' $*" /dev/null </dev/null | tr -d '\r'
}

for list in streams categories types tags 'consumer ls m' 'consumer ls x' \
    'projection ls' 'lease ls' 'schedule ls' 'consumer parked ls mailers'; do
    echo "# $list"
    on_terminal $list | sed 's/^mailers.*/mailers is listed/'
    on_terminal $list --quiet | grep -v '^mailers'
    [[ $list == 'consumer ls m' ]] && continue
    try $list
    try $list --json
    on_terminal $list --json
done

echo '# no bar for programs'
script -qec "'$build/tools/acta' verify --json >found" /dev/null </dev/null
grep -c '"whole":true' found
