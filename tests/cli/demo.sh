# The demo, over a history with odd names, renames, removals and binaries.
export ACTA_DEMO_ONCE=1 ACTA_BUILD=$build TMPDIR=$home
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

demo() {
    "$source_root/tools/demo/run" "$@" 2>&1 |
        sed -e "s,$build,BUILD," -e 's/^fatal: .*/git says why/'
    local status=${PIPESTATUS[0]}
    [ $status -eq 0 ] || echo "exit $status"
}

commit() { # DAY AUTHOR SUBJECT
    git -C repo add -A
    GIT_AUTHOR_DATE="2026-0$1-01T12:00:00Z" GIT_COMMITTER_DATE="2026-0$1-01T12:00:00Z" \
        git -C repo -c user.name="$2" -c user.email=x@example.org \
        commit -q --allow-empty -m "$3"
}

command -v git >/dev/null || skip 'there is no git'
mkdir plain
demo plain
git init -q repo
demo repo
seq 10 >repo/numbers
printf 'a\0b' >repo/binary
commit 1 Ann 'The "first"'
seq 20 >repo/numbers
mv repo/binary "repo/$(printf 'tab\tand\nline \xff')"
commit 2 "Bj$(printf '\xc3\xb6')rn" second
commit 2 Ann nothing
mv repo/numbers repo/figures
echo 21 >>repo/figures
long=$(printf 'p%.0s' {1..200})
mkdir -p "repo/$long"
echo x >"repo/$long/$long"
echo y >"repo/$long/${long}2"
commit 3 Ann third
rm -r "repo/$long"
commit 3 Ann fourth
demo repo
echo '---- the events'
git -C repo -c log.showSignature=false log -z --reverse --no-merges --root \
    --raw --numstat -M --no-abbrev --format='%x1e%H%x00%at%x00%an%x00%s' |
    "$build/tools/acta-demo-history" >events
sed -e 's/[0-9a-f]\{40\}/COMMIT/' events
start_server
try import --dry-run events
echo '---- a shallow clone'
git clone -q --depth 1 "file://$PWD/repo" shallow
demo shallow | head -1
ls -d "$home"/acta-demo-* 2>/dev/null
true
