"""Who is measured: for each, how it is told to do what."""

from . import azure, crane, dxfs, limits, oras, oras_py, regctl, skopeo


def everybody(dxf_python):
    """One of each; `dxf_python`: of the environment that dxf is installed in."""
    return (
        dxfs.Dxf(dxf_python),
        dxfs.PythonDxf(),
        oras_py.OrasPy(),
        azure.Azure(),
        oras.Oras(),
        regctl.Regctl(),
        crane.Crane(),
        skopeo.Skopeo(),
        limits.Limits(dxf_python),
    )
