# What is erased is gone for readers at once, and from the files when the
# command is done.
start_server
secret=Xk7vQ2
acta append -q person-1 Named "{\"name\":\"$secret-1\"}" --tag "person:1" \
    --meta "{\"by\":\"$secret-2\"}"
acta append -q person-1 Moved "{\"to\":\"$secret-3\"}"
acta append -q person-2 Named "\"$secret-4\""
acta append -q person-2 Moved '"kept"'

files_with() {
    grep -rlF -e "$1" data | wc -l
}

[ "$(files_with $secret)" -gt 0 ] || echo 'the search finds nothing'
try erase person-1 1 </dev/null
try erase person-1 --all </dev/null
try erase person-1 9 --yes
try erase nobody-1 --all --yes
try erase person-1 --all --yes --expect 1

echo '---- one event'
try erase person-1 1 --yes
files_with $secret-1
files_with $secret-2
try erase person-1 1 --yes --json
try event person-1 1
try read person-1
try read person-1 --json
acta export person-1 | try import --prefix copy: -

echo '---- a whole stream'
acta stream delete -q person-2
try erase person-2 --all --yes --expect 0
files_with $secret-4
try erase person-1 --all --yes --no-wait
try erase person-1 --all --yes --wait --json
files_with $secret
try read --all
stop_server KILL
start_server
try read --all
files_with $secret
