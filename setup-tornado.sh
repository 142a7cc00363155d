#!/bin/sh
# Finds (or, when asked, installs) what the GPU engine needs, and says what it found. Changes nothing outside the
# folder given with --prefix and, with --maven, Maven's local repository. Exit code 0: what was asked for is done; without
# a TornadoVM SDK or a device too, where no SDK was asked for: the CPU engine serves. 1: it failed. 2: wrong usage.
set -eu

version=5.2.0-jdk25
self=$0
while [ -L "$self" ]; do
    link=$(readlink "$self")
    case $link in
    /*) self=$link ;;
    *) self=$(dirname -- "$self")/$link ;;
    esac
done
home=$(CDPATH='' cd -- "$(dirname -- "$self")" && pwd)
user_home=${HOME:-/nonexistent}
prefix="$home/tornado"
if [ -r "$home/../tornado-dit.jar" ] && [ ! -e "$home/pom.xml" ]; then # in a distribution it lies in bin/, as dit does
    prefix=$(CDPATH='' cd -- "$home/.." && pwd)/tornado
fi
url="https://github.com/beehive-lab/TornadoVM/releases/download/v$version/tornadovm-$version-ptx-linux-amd64.zip"
sha256=
unverified=no
download=ask
asked=
maven=no

usage() {
    cat <<USAGE
Usage: ./setup-tornado.sh [--yes | --no-download] [--sdk-url URL] [--sha256 HEX | --unverified] [--prefix DIR] [--maven]
Checks JDK 25, finds the TornadoVM $version SDK (TORNADOVM_HOME, --prefix, SDKMAN) or offers to download it, and asks
it for its devices.
  --yes           download without asking
  --no-download   never download
  --sdk-url URL   the SDK's archive (.zip, .tar.gz, .tar.xz); https: or file:
                  default: $url
  --sha256 HEX    refuse an archive with another checksum; a download needs it, or the next option
  --unverified    download without a checksum: trust what the server sends
  --prefix DIR    where the SDK is unpacked (default: $prefix)
  --maven         install the SDK's API in Maven's local repository, which mvn -Psdk compiles against
Exit codes: 0 done, 1 what was asked for failed, 2 wrong usage. A machine without an SDK or a GPU is no failure, unless
a download was asked for: the CPU engine serves.
USAGE
}

fail() {
    echo "setup-tornado: $*" >&2
    exit 1
}

wrong_usage() {
    echo "setup-tornado: $*; see --help" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --yes | --no-download)
        [ -z "$asked" ] || [ "$asked" = "$1" ] || wrong_usage "--yes and --no-download contradict each other"
        asked=$1
        if [ "$1" = --yes ]; then download=yes; else download=no; fi
        ;;
    --maven) maven=yes ;;
    --unverified) unverified=yes ;;
    --sdk-url | --sha256 | --prefix)
        [ -n "${2:-}" ] || wrong_usage "$1 wants a value"
        case $1 in
        --sdk-url) url=$2 url_given=yes ;;
        --sha256) sha256=$2 ;;
        --prefix) prefix=$2 ;;
        esac
        shift
        ;;
    --help | -h)
        usage
        exit 0
        ;;
    -*) wrong_usage "there is no option $1" ;;
    *) wrong_usage "there are no arguments but options, and one is \"$1\"" ;;
    esac
    shift
done

if [ "$asked" = --no-download ] && [ -n "${url_given:-}" ]; then
    wrong_usage "--sdk-url says what to download, --no-download not to"
fi
case $url in
https://* | file:*) ;;
*) wrong_usage "--sdk-url is $url, expected an https: or file: URL" ;;
esac

cpu_engine() {
    echo "GPU engine: not available ($1)"
    echo "The CPU engine will be used: ./dit demo"
    exit 0
}

# 1. JDK 25: the launcher knows where to look.
if ! jdk=$("$home/dit" --print-jdk 2>/dev/null); then
    fail "no JDK 25 found; install one (for example Temurin 25) and set JAVA_HOME to its folder"
fi
echo "JDK 25: $jdk"

sdk_version() {
    sed -n 's/^version=//p' "$1/etc/tornado.release" 2>/dev/null
}

# 2. An SDK that is already there.
find_sdk() {
    for candidate in "${TORNADOVM_HOME:-}" "$prefix"/tornadovm-* "$user_home"/.sdkman/candidates/tornadovm/*; do
        if [ -n "$candidate" ] && [ -d "$candidate/share/java/tornado" ]; then
            if [ "$(sdk_version "$candidate")" = "$version" ]; then
                printf '%s\n' "$candidate"
                return 0
            fi
            echo "passed over $candidate: version $(sdk_version "$candidate"), wanted $version" >&2
        elif [ -n "$candidate" ] && [ "$candidate" = "${TORNADOVM_HOME:-}" ]; then
            echo "passed over TORNADOVM_HOME=$candidate: no TornadoVM SDK there" >&2
        fi
    done
    return 1
}

fetch() { # URL FILE
    case $1 in
    file:*)
        file=${1#file:}
        cp "${file#//}" "$2"
        ;;
    *)
        if command -v curl >/dev/null 2>&1; then
            # Redirections too lead to HTTPS only.
            curl --fail --silent --show-error --location --proto '=https' --proto-redir '=https' \
                --connect-timeout 15 --output "$2" "$1"
        elif [ -z "$sha256" ] && command -v wget >/dev/null 2>&1; then
            echo "wget may be redirected to HTTP: install curl, or give --sha256" >&2
            return 1
        elif command -v wget >/dev/null 2>&1; then
            wget --quiet --timeout=15 --tries=2 --output-document="$2" "$1"
        else
            echo "neither curl nor wget is installed" >&2
            return 1
        fi
        ;;
    esac
}

unpack() { # FILE DIR, by the name of the URL
    case $url in
    *.zip) (cd "$2" && "$jdk/bin/jar" --extract --file "$1") ;;
    *) tar -xf "$1" -C "$2" ;;
    esac 2>/dev/null
}

install_sdk() {
    case $url in
    https://*)
        [ -n "$sha256" ] || [ "$unverified" = yes ] ||
            fail "no checksum to compare the download with: give --sha256 HEX, or --unverified to go without"
        ;;
    esac
    if ! { mkdir -p "$prefix" && work=$(mktemp -d "$prefix/.setup-XXXXXX"); }; then
        fail "$prefix cannot be written; name another folder with --prefix"
    fi
    # An empty folder of ours is not left behind either.
    trap 'rm -rf "$work"; rmdir "$prefix" 2>/dev/null || true' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    echo "downloading $url"
    fetch "$url" "$work/sdk" || fail "$url could not be downloaded; nothing was installed"
    if [ -n "$sha256" ]; then
        found=$(sha256sum "$work/sdk" | cut -d ' ' -f 1)
        [ "$found" = "$sha256" ] || fail "checksum of $url is $found, wanted $sha256; nothing was installed"
    fi
    mkdir "$work/unpacked"
    unpack "$work/sdk" "$work/unpacked" || fail "$url is not an archive that can be unpacked; nothing was installed"
    for found in "$work/unpacked" "$work/unpacked"/*; do
        if [ -d "$found/share/java/tornado" ]; then
            [ "$(sdk_version "$found")" = "$version" ] ||
                fail "$url holds version '$(sdk_version "$found")', wanted $version; nothing was installed"
            chmod +x "$found"/bin/* 2>/dev/null || true # jar forgets the mode
            target="$prefix/tornadovm-$version"
            rm -rf "$target"
            mv "$found" "$target"
            echo "installed: $target"
            return 0
        fi
    done
    fail "$url holds no TornadoVM SDK; nothing was installed"
}

if sdk=$(find_sdk); then
    if [ "$download" = yes ]; then echo "nothing is downloaded: there is one already"; fi
else
    if [ "$download" = ask ]; then
        if [ -t 0 ]; then
            [ -n "$sha256" ] || unchecked=', with no checksum to compare it with (--sha256)'
            printf 'No TornadoVM %s SDK found. Download %s%s? [y/N] ' "$version" "$url" "${unchecked:-}"
            read -r answer || answer=
            case $answer in [yY]*) download=yes unverified=yes ;; *) download=no ;; esac
        else
            download=no
        fi
    fi
    if [ "$download" = no ]; then
        [ -z "${url_given:-}" ] || fail "$url was not downloaded: add --yes"
        [ "$maven" = no ] || fail "no TornadoVM $version SDK, and so no API for Maven; add --yes to download one"
        cpu_engine "no TornadoVM $version SDK; ./setup-tornado.sh --yes --sha256 HEX downloads it"
    fi
    install_sdk
    sdk="$prefix/tornadovm-$version"
fi
echo "TornadoVM SDK: $sdk"

# 3. Its API's jar in Maven's local repository, wherever that is: Maven knows.
if [ "$maven" = yes ]; then
    api="$sdk/share/java/tornado/tornado-api-$version.jar"
    [ -f "$api" ] || fail "there is no $api"
    command -v mvn >/dev/null 2>&1 || fail "there is no mvn on the PATH; install Maven 3.8.7 or later"
    if ! said=$(JAVA_HOME="$jdk" mvn -q -B -ntp org.apache.maven.plugins:maven-install-plugin:3.1.4:install-file \
        -Dfile="$api" -DgroupId=io.github.beehive-lab -DartifactId=tornado-api -Dversion="$version" \
        -Dpackaging=jar -DgeneratePom=true 2>&1); then
        printf '%s\n' "$said" | sed 's/^/  /' | tail -n 20 >&2
        fail "tornado-api could not be installed in Maven's local repository; mvn -Psdk will not work"
    fi
    echo "tornado-api: installed in Maven's local repository, for mvn -Psdk"
fi

# 4. What it says of this machine.
if devices=$(TORNADOVM_HOME="$sdk" "$home/dit" --tornado-devices 2>&1); then
    printf '%s\n' "$devices" | sed 's/^/  /'
else
    printf '%s\n' "$devices" | tail -n 5 | sed 's/^/  /' >&2
    cpu_engine "the SDK finds no device: see above; an NVIDIA driver is needed"
fi
echo "GPU engine: ready; export TORNADOVM_HOME=$sdk"
