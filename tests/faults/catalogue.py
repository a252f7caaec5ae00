"""Every planted fault."""

from tests.faults import artifact_faults, code_faults, template_faults
from tests.faults.model import PlantedFault

FAULTS: tuple[PlantedFault, ...] = (*code_faults.FAULTS, *artifact_faults.FAULTS, *template_faults.FAULTS)
