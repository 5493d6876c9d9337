"""The faults of disk, crash, database and watcher that must be survived, and what shows it.

The numbers are those of our list of faults, priority 1; a test walks the table. What a server does
has a matrix of its own in `test_http.py`, pairs of answers have one in `test_pairs.py`, and what an
attacker does one in `tests/web/security/test_attacks.py`.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType

import pytest

TESTS = Path(__file__).parents[1]
WALK = (
    "faults/test_crash_walk.py::test_killed_before_any_step_it_loses_nothing_and_lies_about_nothing"
)
WATCHING = "device/test_watcher.py"
REMOVALS = "services/files/removals/test_monitor.py"

SHOWN_BY = MappingProxyType(
    {
        "H46 a length that the last scan does not confirm": [
            "faults/test_pairs.py::test_no_pair_of_answers_makes_a_wrong_file_count",
            "faults/test_pairs.py::test_a_short_200_is_believed_only_after_a_206_that_agrees",
            "services/transfers/test_unproved.py::test_one_that_does_not_waits_then_fails_with_both_lengths",
        ],
        "H47 the right range with other bytes": [
            (
                "transfer/http/test_engine.py::"
                "test_the_end_of_what_is_there_is_asked_for_once_more_and_compared"
            ),
            "faults/test_lying_middle.py::test_what_is_called_complete_is_one_version",
        ],
        "H48 an empty body": [
            "transfer/http/test_engine.py::test_a_body_of_nothing_is_no_file_whatever_the_scan_says",
            (
                "services/transfers/test_unproved.py::test_an_empty_file_waits_until_there_is_something_in_it"
            ),
        ],
        "H49 a line that breaks after every few bytes": [
            (
                "services/transfers/test_unproved.py::"
                "test_on_a_line_that_breaks_often_a_small_file_goes_on_where_it_was"
            ),
            "transfer/http/test_engine.py::test_a_drip_is_given_up_and_what_came_is_kept",
        ],
        "S03 replaced during one response": [
            (
                "faults/test_replaced.py::"
                "test_s03_what_was_sent_of_two_files_is_thrown_away_and_begun_again"
            )
        ],
        "S09 account disabled": [
            "services/accounts/test_users.py::test_a_token_that_was_taken_back_ends_the_sessions"
        ],
        "S12 another server": [
            (
                "e2e/main_job/test_problems.py::"
                "test_another_server_at_the_address_stops_everything_and_removes_nothing"
            )
        ],
        "K01-K10 killed anywhere on a file's way": [
            WALK,
            "device/test_finishing.py::test_a_kill_at_any_step_loses_nothing_and_doubles_nothing",
        ],
        "K17 killed in a migration": [
            (
                "store/schema/test_migrations.py::"
                "test_killed_at_any_statement_the_tables_are_the_old_or_the_new_ones"
            )
        ],
        "K19 aria2 killed": ["transfer/aria2/test_engine.py::test_a_killed_aria2_loses_nothing"],
        "K20 the sidecar killed, aria2 lives": [
            "transfer/aria2/test_daemon.py::test_it_ends_when_the_sidecar_is_killed"
        ],
        "D01 full while writing": [
            (
                "faults/test_disk.py::"
                "test_d01_a_stick_that_fills_up_keeps_what_came_and_goes_on_when_there_is_room"
            )
        ],
        "D02 full before": [
            "faults/test_disk.py::test_d02_a_stick_that_is_full_before_is_not_begun",
            (
                "device/test_root.py::"
                "test_a_stick_that_holds_no_more_files_is_full_whatever_room_it_has"
            ),
        ],
        "D06 read-only": [
            (
                "faults/test_disk.py::"
                "test_d06_a_disk_that_turns_read_only_stops_with_one_message_until_it_is_mended"
            ),
            "device/test_root.py::test_a_read_only_stick_is_told_at_once",
        ],
        "D07 an error while writing": [
            "faults/test_disk.py::test_d07_a_disk_whose_driver_dies_stops_with_one_message"
        ],
        "D08 an error while syncing": [
            (
                "device/test_finishing.py::"
                "test_a_distrusted_disk_is_trusted_only_after_a_write_that_lasts"
            )
        ],
        "D10 pulled while writing": [
            "faults/test_disk.py::test_d10_a_stick_that_is_pulled_out_while_it_is_written_to",
            "e2e/main_job/test_problems.py::test_a_pulled_stick_loses_nothing_and_goes_on_when_it_is_back",
        ],
        "D11 an empty mount point": [
            "faults/test_disk.py::test_d11_nothing_is_written_under_an_empty_mount_point",
            "device/test_root.py::test_nothing_is_written_under_an_empty_mount_point",
        ],
        "D12 another stick": [
            "faults/test_disk.py::test_d12_another_stick_at_the_place_gets_nothing"
        ],
        "D14 larger than FAT32 takes": [
            "domain/space/test_space.py::test_a_file_that_fat_cannot_hold_is_refused_before_the_first_byte",
            "faults/test_disk.py::test_d14_a_file_that_the_disk_cannot_hold_fails_alone_and_leaves_nothing",
        ],
        "D17 names that differ by case": [
            "device/test_other_systems.py::test_a_name_that_differs_only_by_case_is_taken",
            "domain/files/test_naming.py::test_names_that_some_device_takes_for_one_have_one_key",
            "domain/files/test_naming.py::test_two_items_with_one_path_get_two",
        ],
        "D21 names that lead out": [
            "device/test_folder.py::test_a_path_that_leads_out_or_into_our_own_folder_is_refused"
        ],
        "D23 a linked folder": [
            "faults/test_disk.py::test_d23_a_linked_folder_on_the_way_is_not_followed",
            ("device/test_folder.py::test_a_folder_swapped_for_a_link_at_any_moment_leads_nowhere"),
        ],
        "D25 D26 something lies there": [
            "faults/test_disk.py::test_d25_d26_what_lies_where_the_file_goes_is_left_alone",
            "device/test_folder.py::test_a_name_that_somebody_else_has_is_never_taken",
        ],
        "B01 the database is busy": [
            "store/test_database.py::test_a_busy_database_is_waited_for_then_named"
        ],
        "B03 B05 the database is destroyed": [
            "store/schema/test_recovery.py::test_a_lost_database_is_replaced_by_the_daily_copy_and_told"
        ],
        "B04 one page is damaged": [
            "store/schema/test_recovery.py::test_a_lost_database_is_replaced_by_the_daily_copy_and_told",
            "e2e/process/test_restart.py::test_a_database_that_its_disk_has_damaged_since_the_last_end_gives_way_to_its_copy",
        ],
        "B07 its disk is full": [
            "store/test_database.py::test_a_full_disk_stops_writes_not_reads_and_heals"
        ],
        "B10 a newer one": [
            "store/schema/test_recovery.py::test_a_newer_sidecars_database_is_refused_and_not_touched"
        ],
        "B11 two at once": [
            "store/test_database.py::test_a_second_sidecar_on_the_same_folder_is_refused",
            (
                "device/test_root.py::"
                "test_a_second_sidecar_is_refused_and_the_first_is_not_disturbed"
            ),
        ],
        "W01 events are lost": [f"{WATCHING}::test_lost_events_are_told"],
        "W02 W07 a person removes a file": [
            f"{REMOVALS}::test_a_file_that_a_person_deletes_is_removed_and_not_fetched_again"
        ],
        "W10 a file is replaced": [
            f"{REMOVALS}::test_a_file_that_a_person_changed_is_theirs_from_then_on"
        ],
        "W12 many at once": [
            f"{REMOVALS}::test_many_at_once_are_asked_about_and_nothing_is_changed"
        ],
        "W13 the stick is back": [
            (
                f"{REMOVALS}::"
                "test_a_stick_that_comes_back_is_looked_at_and_only_true_differences_count"
            )
        ],
        "W04 the folder is made again": [
            (
                "device/test_root.py::"
                "test_a_folder_that_was_deleted_and_made_again_must_be_attached_again"
            )
        ],
        "W08 a folder is moved out": [f"{WATCHING}::test_a_folder_that_is_moved_away_is_hinted_at"],
        "W11 the stick is pulled": [
            "device/test_scan.py::test_a_pulled_swapped_or_emptied_device_says_nothing"
        ],
        "W17 our own doing": [
            f"{WATCHING}::test_our_own_parts_and_their_finishing_are_not_hinted_at"
        ],
    }
)


@pytest.mark.parametrize("fault", SHOWN_BY)
def test_each_fault_has_its_tests(fault: str) -> None:
    assert SHOWN_BY[fault]
    for shown in SHOWN_BY[fault]:
        file, _, name = shown.partition("::")
        source = (TESTS / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), shown
