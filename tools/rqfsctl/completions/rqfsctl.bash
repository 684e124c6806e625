# bash completion for rqfsctl                                -*- shell-script -*-

# The info-hashes and, where they need no quoting, the names of all torrents.
_rqfsctl_torrents() {
    "$1" ${2:+--socket "$2"} list 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_rqfsctl() {
    local cur prev words cword
    _init_completion -n = || return

    local commands='add list status stats dht files peers trackers path magnet why download pause resume remove verify connect announce limit log stop'
    local command='' socket='' i
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
            --socket) socket=${words[++i]} ;;
            --up | --down | --torrent | --peer | --add | --tier | --remove | --replace | --timeout) ((i++)) ;;
            -*) ;;
            *) command=${words[i]} && break ;;
        esac
    done

    case $prev in
        --socket) _filedir && return ;;
        --torrent) mapfile -t COMPREPLY < <(compgen -W "$(_rqfsctl_torrents "$1" "$socket")" -- "$cur") && return ;;
        --up | --down) mapfile -t COMPREPLY < <(compgen -W 'unlimited 500K 1M 2M 5M' -- "$cur") && return ;;
        --peer | --add | --tier | --remove | --replace | --timeout) return ;;
    esac

    local options='--socket --json --help'
    case $command in
        '') options+=' --version' ;;
        add) options+=' --paused --download --wait' ;;
        remove) options+=' --keep-data' ;;
        trackers) options+=' --add --tier --remove --replace' ;;
        verify) options+=' --cancel' ;;
        connect | announce) options+=' --timeout' ;;
        limit) options+=' --up --down' ;;
        log) options+=' --torrent --peer' ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi

    case $command in
        '') mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
        add) _filedir torrent ;;
        why) _filedir ;;
        status | files | peers | trackers | path | magnet | pause | resume | remove | verify | connect | announce | download)
            _filedir
            local torrents
            mapfile -t torrents < <(compgen -W "$(_rqfsctl_torrents "$1" "$socket")" -- "$cur")
            COMPREPLY+=("${torrents[@]}")
            ;;
        log)
            if [[ $cur == *=* ]]; then
                # readline replaces only what follows the last "=".
                mapfile -t COMPREPLY < <(compgen -W 'trace debug info warn error off' -- "${cur#*=}")
            else
                mapfile -t COMPREPLY < <(compgen -S = -W 'torrent cache fs rqfs all' -- "$cur")
                compopt -o nospace
            fi
            ;;
    esac
} && complete -F _rqfsctl rqfsctl
