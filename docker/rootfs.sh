#!/bin/sh
# Fills ROOT with the files of the image; run by the Dockerfile's stage build.
#
#   sh docker/rootfs.sh BINARY ROOT
#
# For every Debian package that a file comes from, be it copied or linked in, its status entry and
# its copyright go along: scanners read /var/lib/dpkg/status.d, licences ask for the other.
set -eu
binary=$1
root=$2

# Prints the shared libraries of the binary and the loader.
list_libraries() {
  ldd "$binary" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^\//) print $i }'
}

# Prints the package that a file belongs to; dpkg knows it by its name before or after /usr merged.
find_package() {
  { dpkg-query -S "$1" || dpkg-query -S "/usr$1" || dpkg-query -S "${1#/usr}"; } 2>/dev/null |
    sed 's/:.*//' | head -n 1
}

record_package() {
  dpkg-query --status "$1" >"$root/var/lib/dpkg/status.d/$1"
  mkdir -p "$root/usr/share/doc/$1"
  cp -L "/usr/share/doc/$1/copyright" "$root/usr/share/doc/$1/"
}

copy_file() {
  mkdir -p "$root$(dirname "$1")"
  cp -L "$1" "$root$1"
}

make_folders() {
  mkdir -p "$root/app" "$root/etc" "$root/tmp" "$root/usr/lib" "$root/usr/lib64" \
    "$root/usr/local/bin" "$root/usr/share/doc/perilune" "$root/var/lib/dpkg/status.d"
  chmod 1777 "$root/tmp"
  ln -s usr/lib "$root/lib"
  ln -s usr/lib64 "$root/lib64"
}

write_accounts() {
  printf '%s\n' 'root:x:0:0:root:/:/usr/sbin/nologin' \
    'perilune:x:65532:65532:perilune:/app:/usr/sbin/nologin' >"$root/etc/passwd"
  printf '%s\n' 'root:x:0:' 'perilune:x:65532:' >"$root/etc/group"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
}

make_folders
write_accounts
install -s -m 755 "$binary" "$root/usr/local/bin/perilune"
cp LICENSE "$root/usr/share/doc/perilune/copyright"

for file in $(list_libraries); do
  copy_file "$file"
  record_package "$(find_package "$file")"
done

# Certificates for what a script connects to; the release, by which scanners know what to look up.
copy_file /etc/ssl/certs/ca-certificates.crt
record_package ca-certificates
copy_file /etc/os-release
copy_file /etc/debian_version
record_package base-files

# Linked into the binary.
for package in libuv1-dev liblua5.4-dev node-llhttp libllhttp-dev; do
  if dpkg-query --status "$package" >/dev/null 2>&1; then
    record_package "$package"
  fi
done
