#!/usr/bin/env bash
# Builds the image with the project's own Dockerfile, without a daemon, and tests the container end to end. Run by hand, as root:
# the build takes a quarter of an hour on two idle cores. Needs buildah, crun, jq, iproute2, poppler-utils and Rust.
#
#   tests/image.sh                build, measure, test
#   BASES=debian tests/image.sh   the same where no registry of images is reached: both base images are made from Debian's
#                                 packages (needs debootstrap) and this machine's Rust toolchain
#   tests/image.sh build | measure | test | clean
#
# BUILD_IMAGE and RUN_IMAGE name other base images. Everything is kept in target/image, the caches of the build too; `clean`
# removes it. tests/image.rs holds what is asked of the container; it calls `start`, `exec`, `kill`, `written` and `forget`.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/target/image
image=localhost/qijin
# buildah puts its cache mounts and large files here.
export TMPDIR=$work/tmp
# Steps of the build need nothing but root this way. The built container runs under crun, see `start`.
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
for program in buildah crun jq ip pdftotext cargo; do
    command -v "$program" >/dev/null || missing+=" $program"
done
if [ -n "${missing:-}" ] || [ "$(id -u)" -ne 0 ]; then
    echo "needs root, and on Debian: apt-get install buildah crun jq iproute2 poppler-utils; missing:${missing:- nothing}" >&2
    exit 1
fi
mkdir -p "$TMPDIR"

buildah() {
    command buildah --root "$work/storage" --runroot "$work/run" --storage-driver "${STORAGE_DRIVER:-overlay}" "$@"
}

crun() {
    command crun --root "$work/crun" --cgroup-manager=cgroupfs "$@"
}

have_image() {
    buildah inspect --type image "$1" >/dev/null 2>&1
}

# A minimal Debian, without lists, documentation and translations, like the usual small image.
make_run_base() {
    have_image localhost/debian && return
    local container root mirror
    container=$(buildah from scratch)
    root=$(buildah mount "$container")
    mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' | head -1)}
    debootstrap --variant=minbase bookworm "$root" ${mirror:+"$mirror"} >"$work/debootstrap.log"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/var/log/*.log
    find "$root/usr/share/doc" -type f ! -name copyright -delete
    rm -rf "$root"/usr/share/man/* "$root"/usr/share/info/* "$root"/usr/share/locale/*
    # Packages are not kept once they are installed.
    echo 'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache ""; APT::Keep-Downloaded-Packages "false";
        DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };' >"$root/etc/apt/apt.conf.d/clean"
    buildah config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
    buildah commit -q --rm "$container" localhost/debian
}

# The same with a C compiler and this machine's toolchain, laid out like the usual Rust image.
make_build_base() {
    have_image localhost/rust && return
    local container root
    container=$(buildah from localhost/debian)
    root=$(buildah mount "$container")
    buildah run "$container" -- sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends \
        gcc libc6-dev ca-certificates && rm -rf /var/lib/apt/lists/*' >"$work/gcc.log" 2>&1
    mkdir -p "$root/usr/local/rustup/toolchain" "$root/usr/local/cargo"
    cp -a "$(rustc --print sysroot)"/{bin,lib} "$root/usr/local/rustup/toolchain/"
    # cargo asks for crates from there: it trusts whom this machine trusts.
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    buildah config --env CARGO_HOME=/usr/local/cargo \
        --env PATH=/usr/local/cargo/bin:/usr/local/rustup/toolchain/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        "$container"
    buildah commit -q --rm "$container" localhost/rust
}

build() {
    local bases=()
    case "${BASES:-}" in
    '') ;;
    debian)
        make_run_base
        make_build_base
        BUILD_IMAGE=${BUILD_IMAGE:-localhost/rust}
        RUN_IMAGE=${RUN_IMAGE:-localhost/debian}
        ;;
    *) usage ;;
    esac
    [ -z "${BUILD_IMAGE:-}" ] || bases+=(--build-arg "BUILD_IMAGE=$BUILD_IMAGE")
    [ -z "${RUN_IMAGE:-}" ] || bases+=(--build-arg "RUN_IMAGE=$RUN_IMAGE")
    # The other format has no HEALTHCHECK.
    buildah build --format docker --layers --build-arg "QIJIN_COMMIT=${QIJIN_COMMIT:-$(git rev-parse --short=12 HEAD)}" \
        "${bases[@]}" -t "$image" .
}

# What there is to download and to keep, layer by layer: the lowest layer is the base image.
measure() {
    local layers=$work/layers digest packed unpacked
    rm -rf "$layers"
    buildah push -q "$image" "oci:$layers:latest"
    blob() { echo "$layers/blobs/sha256/${1#sha256:}"; }
    printf '%10s %10s  layer\n' packed unpacked
    jq -r '.layers[].digest' "$(blob "$(jq -r '.manifests[0].digest' "$layers/index.json")")" | while read -r digest; do
        packed=$(stat -c %s "$(blob "$digest")")
        unpacked=$(zcat "$(blob "$digest")" | wc -c)
        echo "$packed $unpacked ${digest:7:12}"
    done | awk '{ p += $1; u += $2; printf "%7.1f MB %7.1f MB  %s\n", $1/1e6, $2/1e6, $3 }
        END { printf "%7.1f MB %7.1f MB  together\n", p/1e6, u/1e6 }'
    rm -rf "$layers"
}

# start NAME VOLUME [VARIABLE=value…]: runs the image's own command as its user, with its environment and these variables, in the
# foreground; the exit code is the program's. Confined as deploy/compose.yaml says: a read-only root, a tmpfs on /tmp, no
# capabilities, no new privileges, 1 GB of memory, the volume. The network is the caller's.
start() {
    local name=$1 volume=$2 bundle=$work/bundles/$1 about root user
    shift 2
    have_image "$image"
    mkdir -p "$bundle"
    buildah from --pull-never --name "$name" "$image" >/dev/null
    root=$(buildah mount "$name")
    about=$(buildah inspect --type image "$image" | jq .Docker.config)
    # A new volume begins as the image's folder does, owner and all.
    if [ ! -e "$volume" ]; then
        cp -a "$root$(jq -r '.Volumes | keys[0]' <<<"$about")" "$volume"
    fi
    user=$(jq -r .User <<<"$about")
    rm -f "$bundle/config.json"
    crun spec -b "$bundle"
    jq --argjson about "$about" --arg root "$root" --arg volume "$volume" \
        --argjson group "$(awk -F: -v id="$user" '$3 == id { print $4 }' "$root/etc/passwd")" '
        .process.terminal = false
        | .process.user = {uid: ($about.User | tonumber), gid: $group}
        | .process.args = $about.Entrypoint + $about.Cmd
        | .process.env = $about.Env + $ARGS.positional
        | .process.cwd = $about.WorkingDir
        | .process.capabilities |= map_values([])
        | .process.noNewPrivileges = true
        | del(.process.rlimits)
        | .linux.resources.memory.limit = 1073741824
        | .root = {path: $root, readonly: true}
        | .mounts |= map(select(.type != "cgroup"))
        | .mounts += [
            {destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec", "mode=1777"]},
            {destination: ($about.Volumes | keys[0]), type: "bind", source: $volume, options: ["rbind", "rprivate"]}]
        | .linux.namespaces |= map(select(.type != "network"))
        ' --args "$@" <"$bundle/config.json" >"$bundle/new.json"
    mv "$bundle/new.json" "$bundle/config.json"
    crun run --bundle "$bundle" "$name"
}

# A command in the running container, as its user, like `docker exec`.
inside() {
    local user
    user=$(jq -r '.process.user | "\(.uid):\(.gid)"' "$work/bundles/$1/config.json")
    crun exec --user "$user" --no-new-privs "$@"
}

# The image's HEALTHCHECK, as the daemon would run it.
health() {
    local test
    mapfile -t test < <(buildah inspect --type image "$image" | jq -r '.Docker.config.Healthcheck.Test[1:][]')
    inside "$1" "${test[@]}"
}

# Files in the container's root that were made or changed since it was started. What is in its volume and tmpfs is not in there.
written() {
    find "$(buildah mount "$1")" -xdev ! -type d -cnewer "$work/bundles/$1/config.json"
}

# A network of its own holds nothing but the loopback: the fake Bot API, the container's ports and a private PostgreSQL.
run_test() {
    cargo test --locked --test image --no-run
    bash tests/postgres.sh install
    unshare --net --mount bash tests/image.sh test-inside
}

test_inside() {
    ip link set lo up
    # crun refuses a machine with both generations of control groups: the newer one is hidden from it.
    ! mountpoint -q /sys/fs/cgroup/unified || mount -t tmpfs tmpfs /sys/fs/cgroup/unified
    # PostgreSQL runs as somebody else, who may not look into this folder.
    server=$(mktemp -d -p /tmp)
    chmod 755 "$server"
    trap 'bash tests/postgres.sh stop "$server" || true; rm -rf "$server"' EXIT
    QIJIN_TEST_POSTGRES=$(bash tests/postgres.sh start "$server") \
        cargo test --locked --offline --test image -- --ignored --nocapture --test-threads=1
}

clean() {
    [ -d "$work/storage" ] && buildah rm --all >/dev/null && buildah rmi --all --force >/dev/null
    rm -rf "$work"
}

usage() {
    sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /!p }' tests/image.sh >&2
    exit 2
}

case "${1:-all}" in
all)
    build
    measure
    run_test
    ;;
build | measure | clean) "$1" ;;
test) run_test ;;
test-inside) test_inside ;;
start) start "${@:2}" ;;
exec) inside "${@:2}" ;;
kill) crun kill "${@:2}" ;;
health) health "$2" ;;
written) written "$2" ;;
forget)
    buildah rm "$2" >/dev/null
    rm -r "$work/bundles/$2"
    ;;
*) usage ;;
esac
