/* What Krylov methods ask of a system. */
#include <twofold/impl/sysimpl.h>

PetscErrorCode TwofoldKSPNeedsSymmetry(KSP ksp, PetscBool *needs)
{
  const char *const symmetric_only[] = {KSPCG,      KSPPIPECG,    KSPPIPECGRR, KSPPIPELCG, KSPPIPEPRCG,
                                        KSPPIPECG2, KSPGROPPCG,   KSPFCG,      KSPPIPEFCG, KSPNASH,
                                        KSPSTCG,    KSPGLTR,      KSPMINRES,   KSPSYMMLQ,  KSPCR,
                                        KSPPIPECR,  KSPCHEBYSHEV, "sweepcg"};
  KSPType type;

  PetscFunctionBegin;
  *needs = PETSC_FALSE;
  PetscCall(KSPGetType(ksp, &type));
  for (size_t i = 0; i < sizeof(symmetric_only) / sizeof(symmetric_only[0]) && !*needs; i++)
    PetscCall(PetscStrcmp(type, symmetric_only[i], needs));
  PetscFunctionReturn(PETSC_SUCCESS);
}
