#pragma once

#include "torrent/swarm/piece_picker_state.h"

#include <optional>

namespace rqfs::torrent {

// What PiecePicker asks of peers on parole: whole pieces alone, so that the next one is the proof. A step of a plan.
struct PiecePicker::State::Parole {
    State& state;

    void assign();
    void give_up_urgent_piece(PickerPeer& peer) const;  // unless nobody has it sooner

private:
    void assign(Seat& seat);
    void help(Seat& seat);  // with second tries that no reader waits for
    std::optional<PieceIndex> piece_for(PickerPeer& peer) const;
    bool better_alone(PickerPeer const& peer, PieceIndex index) const;
    void own_alone(PickerPeer& peer, PieceIndex index) const;
};

}  // namespace rqfs::torrent
