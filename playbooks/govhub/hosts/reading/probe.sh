# Reads one host; runs as root, changes nothing. Arguments: a mark that no output can guess, names of kernel settings,
# and names of units, each as one word list. Each section stands between "MARK begin NAME" and "MARK end NAME EXIT";
# the last line is "MARK complete".
mark=$1
settings=$2
units=$3
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

# Errors are not data.
section() {
    name=$1
    shift
    printf '%s begin %s\n' "$mark" "$name"
    "$@" </dev/null 2>/dev/null
    printf '\n%s end %s %s\n' "$mark" "$name" "$?"
}

# For what asks a service or a file system: one that hangs must not hold up the rest.
asking() {
    name=$1
    shift
    section "$name" timeout 10 "$@"
}

script() {
    section "$1" sh -c "$2"
}

main() {
    section hostname hostname
    section release cat /etc/os-release
    section kernel uname -srm
    section uptime cat /proc/uptime
    section cpu grep -E '^(processor|model name)' /proc/cpuinfo
    section cores nproc
    section memory cat /proc/meminfo
    asking disks df -P -k -l -x tmpfs -x devtmpfs
    section blocks lsblk -b -d -n -P -o NAME,TYPE,SIZE,ROTA,MODEL
    section zone readlink -f /etc/localtime
    script virtual 'systemd-detect-virt; :'
    script reboot 'ls /run/reboot-required /var/run/reboot-required; :'

    section packages dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${Version}\n'
    asking upgrades apt-get -s -qq -o Debug::NoLocking=1 dist-upgrade
    asking sources apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(TRUSTED)'
    # The former has only what was fetched already, this every source that is set up.
    asking configured apt-get indextargets --no-release-info --format '$(REPO_URI)'
    # Options that make apt take packages without a signature.
    script insecure 'grep -s -i -h -E "^[^#]*(trusted|allow-insecure|allow-weak)[^[:alnum:]]+yes" /etc/apt/sources.list /etc/apt/sources.list.d/*; apt-config dump | grep -i -E "^(APT::Get::AllowUnauthenticated|Acquire::AllowInsecureRepositories) .(true|1|yes)"; :'
    script compilers 'command -v gcc cc g++ clang as make; :'

    asking listening ss -H -l -n -t -u -p
    asking nft nft -j -s list table inet govhub
    asking tracking chronyc -n -c tracking
    asking timesources chronyc -N -c sources
    asking services systemctl list-units --type=service --state=active,failed,activating --no-legend --plain --full
    # shellcheck disable=SC2086  # a list of words
    asking units systemctl show -p Id,ActiveState,UnitFileState -- $units
    # shellcheck disable=SC2086
    section sysctl sysctl -e -- $settings

    section passwd getent passwd
    section group getent group
    # Whether there is a password and how old it is, never its hash.
    script shadow 'getent shadow | awk -F: -v OFS=: '\''{ s = "set"; if ($2 == "") s = "empty"; else if ($2 ~ /^[!*]/) s = "locked"; print $1, s, $3, $5 }'\'''
    section sudoers cvtsudoers -e -f json /etc/sudoers
    script authorized 'getent passwd | cut -d: -f1,6 | while IFS=: read -r user home; do
        for file in "$home/.ssh/authorized_keys" "$home/.ssh/authorized_keys2"; do
            [ -f "$file" ] && sed "s|^|$user |" "$file"
        done
    done; :'
    section sshd sshd -T
    # From each first Match to the end of its file: what follows holds for some only.
    script matches 'for file in /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf; do sed -n "/^[[:space:]]*[Mm][Aa][Tt][Cc][Hh]/,\$p" "$file" 2>/dev/null; done; :'

    section journald systemd-analyze cat-config systemd/journald.conf
    script journal 'ls -d /var/log/journal/*/; :'
    section logindefs cat /etc/login.defs
    section pam_auth cat /etc/pam.d/common-auth
    section pam_account cat /etc/pam.d/common-account
    section pam_password cat /etc/pam.d/common-password
    section pam_su cat /etc/pam.d/su
    script pwquality 'cat /etc/security/pwquality.conf /etc/security/pwquality.conf.d/*.conf; :'
    script faillock 'cat /etc/security/faillock.conf; :'
    # Only what is judged: other lines may hold what is nobody's business.
    script profile 'grep -s -h -E "TMOUT|umask" /etc/profile.d/*.sh; :'
    script limits 'cat /etc/security/limits.conf /etc/security/limits.d/*.conf; :'
    script modules 'cat /etc/modprobe.d/*.conf; :'
    script banner 'cat /etc/issue.net; :'
    script modes 'stat -c "%a %U %G %n" /etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/sudoers /etc/sudoers.d /etc/ssh/sshd_config /etc/crontab /etc/cron.d /etc/cron.daily /etc/cron.hourly /etc/cron.weekly /etc/cron.monthly /var/log/journal /var/log/sudo.log /root /etc/ssh/*_key; :'
    section audit auditctl -s
    section auditrules auditctl -l
    # Certificates alone, never the keys beside them.
    script certificates 'find /etc/ssl/govhub /etc/govhub /etc/kubernetes /etc/containerd /etc/postgresql /etc/mysql /etc/haproxy /etc/nginx /etc/docker /var/lib/kubelet/pki /etc/ssl/private -xdev -type f \( -name "*.crt" -o -name "*.pem" -o -name "*.cert" \) -size -64k | while read -r file; do
        grep -q "BEGIN CERTIFICATE" "$file" && printf "file %s\n" "$file" && sed -n "/BEGIN CERTIFICATE/,/END CERTIFICATE/p" "$file"
    done; :'
    printf '%s complete\n' "$mark"
}

main "$@"
