"""`voiceguide check`: for authors; prints every fault with file, key and suggestion, then the ten hardest prompts."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from voiceguide.language.check import check, worst
from voiceguide.language.pack import Pack
from voiceguide.language.plans import load_plans, spoken_plans


def check_command(args: argparse.Namespace) -> int:
    """Check every installed language. Exit code 4 when something grave was found."""
    plans = load_plans()
    grave = 0
    for language in Pack.languages():
        pack = Pack.load(language)
        faults = check(pack, spoken_plans(plans, pack.prompts))
        for fault in faults:
            if args.json:
                print(json.dumps({"language": language, **asdict(fault)}, ensure_ascii=False))
            else:
                print(f"{'fault' if fault.grave else 'advice'}: {fault.file} {fault.key}: {fault.text}. {fault.hint}.")
        grave += sum(fault.grave for fault in faults)
        if not args.json:
            print(f"{language}: {len(pack.prompts)} prompts, {len(faults)} remarks.")
            if language == "en":
                print("The ten hardest prompts (grade, words):")
                for grade, count, name, text in worst(pack):
                    print(f"  {grade:4.1f} {count:3}  {name}: {text}")
    return 4 if grave else 0
