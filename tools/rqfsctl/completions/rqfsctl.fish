# fish completion for rqfsctl

function __rqfsctl_torrents
    rqfsctl list 2>/dev/null | string match -rv '^HASH' | string replace -r '^(\S+)\s+(.*)$' '$1\t$2'
end

function __rqfsctl_levels
    for logger in torrent cache fs rqfs all
        for level in trace debug info warn error off
            echo $logger=$level
        end
    end
end

complete -c rqfsctl -f
complete -c rqfsctl -l socket -r -F -d 'Control socket of the daemon'
complete -c rqfsctl -l json -d 'Print one JSON document'
complete -c rqfsctl -s h -l help -d 'Print a summary'
complete -c rqfsctl -n __fish_use_subcommand -l version -d 'Print the version'

complete -c rqfsctl -n __fish_use_subcommand -a add -d 'Add magnet links, torrent files or URLs'
complete -c rqfsctl -n __fish_use_subcommand -a list -d 'List all torrents'
complete -c rqfsctl -n __fish_use_subcommand -a status -d 'Show the session or a torrent'
complete -c rqfsctl -n __fish_use_subcommand -a stats -d 'Show how long readers waited and what was waste'
complete -c rqfsctl -n __fish_use_subcommand -a dht -d 'Show our nodes in the DHT'
complete -c rqfsctl -n __fish_use_subcommand -a files -d 'List the files of a torrent'
complete -c rqfsctl -n __fish_use_subcommand -a peers -d 'List the peers of a torrent'
complete -c rqfsctl -n __fish_use_subcommand -a trackers -d 'List the trackers of a torrent, or change the list'
complete -c rqfsctl -n __fish_use_subcommand -a path -d 'Print where a torrent is in the mount'
complete -c rqfsctl -n __fish_use_subcommand -a magnet -d 'Print the magnet link of a torrent'
complete -c rqfsctl -n __fish_use_subcommand -a why -d 'Tell what the readers of a file wait for'
complete -c rqfsctl -n __fish_use_subcommand -a download -d 'Fetch files in the background'
complete -c rqfsctl -n __fish_use_subcommand -a pause -d 'Disconnect torrents from their peers'
complete -c rqfsctl -n __fish_use_subcommand -a resume -d 'Let torrents go on'
complete -c rqfsctl -n __fish_use_subcommand -a remove -d 'Remove torrents and their data'
complete -c rqfsctl -n __fish_use_subcommand -a verify -d 'Check the stored data'
complete -c rqfsctl -n __fish_use_subcommand -a connect -d 'Connect to a peer'
complete -c rqfsctl -n __fish_use_subcommand -a announce -d 'Announce to the trackers now'
complete -c rqfsctl -n __fish_use_subcommand -a limit -d 'Show or set the limits of the rates'
complete -c rqfsctl -n __fish_use_subcommand -a log -d 'Set the level of a logger'
complete -c rqfsctl -n __fish_use_subcommand -a stop -d 'End the daemon'

complete -c rqfsctl -n '__fish_seen_subcommand_from add why' -F
complete -c rqfsctl -n '__fish_seen_subcommand_from add' -l paused -d 'Connect to nobody until resumed'
complete -c rqfsctl -n '__fish_seen_subcommand_from add' -l download -d 'Fetch it whole'
complete -c rqfsctl -n '__fish_seen_subcommand_from add' -l wait -d 'Wait for the metadata, or for all'
complete -c rqfsctl -n '__fish_seen_subcommand_from trackers' -l add -x -d 'Add a tracker'
complete -c rqfsctl -n '__fish_seen_subcommand_from trackers' -l tier -x -d 'Add it to this tier'
complete -c rqfsctl -n '__fish_seen_subcommand_from trackers' -l remove -x -d 'Remove a tracker'
complete -c rqfsctl -n '__fish_seen_subcommand_from trackers' -l replace -x -d 'Have these trackers and no others'
complete -c rqfsctl -n '__fish_seen_subcommand_from remove' -l keep-data -d 'Keep the pieces'
complete -c rqfsctl -n '__fish_seen_subcommand_from verify' -l cancel -d 'End the check under way'
complete -c rqfsctl -n '__fish_seen_subcommand_from connect announce' -l timeout -x -d 'Wait no longer'
complete -c rqfsctl -n '__fish_seen_subcommand_from limit' -l up -x -a 'unlimited 500K 1M 2M 5M' -d 'Upload limit'
complete -c rqfsctl -n '__fish_seen_subcommand_from limit' -l down -x -a 'unlimited 500K 1M 2M 5M' -d 'Download limit'
complete -c rqfsctl -n '__fish_seen_subcommand_from log' -l torrent -x -a '(__rqfsctl_torrents)' -d 'Only of this torrent'
complete -c rqfsctl -n '__fish_seen_subcommand_from log' -l peer -x -d 'Only of this peer'
complete -c rqfsctl -n '__fish_seen_subcommand_from log' -a '(__rqfsctl_levels)'
complete -c rqfsctl -n '__fish_seen_subcommand_from status files peers trackers path magnet download pause resume remove verify connect announce' \
    -F -a '(__rqfsctl_torrents)'
