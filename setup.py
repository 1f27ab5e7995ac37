"""Maps the top folders to artifexpro.*; everything else about the package stands in pyproject.toml."""

from setuptools import find_packages, setup

ROOTS = ("core", "daemon", "hosts", "installers", "benchmarks")
NAMES = [name for root in ROOTS for name in (root, *(f"{root}.{sub}" for sub in find_packages(root)))]

setup(
    package_dir={f"artifexpro.{root}": root for root in ROOTS},
    packages=[f"artifexpro.{name}" for name in NAMES],
    package_data={"": ["**/*"]},
    exclude_package_data={"": ["**/*.pyc", "**/.*_cache/**", "ruff.toml"]},
)
