# Import ends in order when it is asked to, also while it waits for lines, and
# goes on if that was to be ignored.
start_server
mkfifo pipe

# begin [OPTION...]: an import of one line that waits for more, and looks out
# for signals.
begin() {
    "$build/tools/acta" import "$@" pipe 2>talk &
    importer=$!
    exec 5>pipe
    echo '{"stream":"s-1","type":"T","data":1}' >&5
    wait_for 'the import' catches_term
}

catches_term() {
    local caught
    caught=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$importer/status" 2>/dev/null)
    [ $((0x${caught:-0} & 1 << 14)) -ne 0 ]
}

has_ended() {
    ! kill -0 $importer 2>/dev/null
}

finish() {
    wait $importer
    echo "exit $?"
    # Before or behind the line.
    sed -E 's/^[0-9]+ event.*/N events imported/; s/^right: .*/right: N/' talk
}

for options in '' '--dry-run'; do
    for signal in TERM HUP; do
        echo "---- $signal $options"
        begin $options
        kill "-$signal" $importer
        wait_for 'its end' has_ended
        exec 5>&-
        finish
    done
done

echo '---- Ctrl-C is ignored by a job in the background'
begin
kill -INT $importer
exec 5>&-
finish
