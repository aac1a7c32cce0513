# The lag of consumers is watched until Ctrl-C, with rates from the second look
# on.
command -v script >/dev/null || skip 'there is no script(1)'
start_server
for i in 1 2 3 4; do
    acta append -q order-1 Noted $i
done
acta consumer create -q mailers

# watch FILE ARGUMENT...: in the background, FILE being what this one prints, so
# that a line in it tells that the signal will reach acta and not a shell.
watch() {
    local file=$1
    shift
    rm -f "$file"
    set -m
    "$build/tools/acta" consumer lag --interval 20ms "$@" >"$file" 2>&1 &
    watcher=$!
    set +m
}

end_watch() {
    kill -INT $watcher
    wait $watcher
    echo "exit $?"
}

watch looks --json
wait_for 'three looks' lines_are looks 3
end_watch
sed -n -e '1s/.*\("rate":[^,]*\),.*/\1/p' -e '3s/.*\("rate":[^,]*\),.*/\1/p' looks

watch looks m
wait_for 'three looks' lines_are looks 4
end_watch
sed -E 's/ [0-9]+ s / N s /' looks | head -4

echo '---- on a terminal'
watch_once() {
    timeout -s INT 90 script -qec "'$build/tools/acta' consumer lag" /dev/null |
        tr -d '\r' | sed -E 's/ [0-9]+ s / N s /'
}
watch_once
