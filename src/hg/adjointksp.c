/* Which KSP can solve aid's adjoint system: said when it is set up, in words that name the way out. And the
   solve. */
#include <twofold/impl/hgimpl.h>

PetscErrorCode HGCheckKSPSymmetry_Private(HG hg, KSP ksp, FPM fpm)
{
  KSPType type;
  FPMType map;
  PetscBool symmetric, needs, loss;

  PetscFunctionBegin;
  PetscCall(FPMIsSymmetric(fpm, &symmetric));
  PetscCall(TwofoldKSPNeedsSymmetry(ksp, &needs));
  PetscCall(KSPGetType(ksp, &type));
  PetscCall(FPMGetType(fpm, &map));
  PetscCall(BLPHasLoss(hg->blp, &loss));
  PetscCheck(symmetric || !needs, PetscObjectComm((PetscObject)hg), PETSC_ERR_SUP,
             "-%shg_ksp_type %s needs a symmetric d1Phi; %s is not: use -%shg_ksp_type gmres%s%s%s",
             HGPrefix_Private(hg), type, map, HGPrefix_Private(hg), loss ? ", or -" : "",
             loss ? HGPrefix_Private(hg) : "", loss ? "hg_fpm_type gd" : "");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The KSPs that do not solve a system: one application of no preconditioner, and the minimiser in a ball. */
PetscErrorCode HGCheckKSPSolves_Private(HG hg, KSP ksp)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  PetscBool preonly, qcg, bare;
  KSPType type;
  PC pc;

  PetscFunctionBegin;
  PetscCall(KSPGetType(ksp, &type));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PetscObjectTypeCompareAny((PetscObject)ksp, &preonly, KSPPREONLY, KSPNONE, ""));
  PetscCall(PetscObjectTypeCompare((PetscObject)ksp, KSPQCG, &qcg));
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCNONE, &bare));
  PetscCheck(
      !preonly || !bare, comm, PETSC_ERR_SUP,
      "-%shg_ksp_type %s applies the preconditioner alone, and there is none: use a Krylov method, or an "
      "inner one by -%shg_pc_type ksp",
      HGPrefix_Private(hg), type, HGPrefix_Private(hg));
  PetscCheck(!qcg, comm, PETSC_ERR_SUP,
             "-%shg_ksp_type %s minimises in a trust region and solves no system: use -%shg_ksp_type cg",
             HGPrefix_Private(hg), type, HGPrefix_Private(hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* At a NaN PETSc's chebyshev returns with one of its work vectors in the place of the solution, whose
   reference is lost and whose destruction would be the work vector's second one: both are put right. */
PetscErrorCode HGKSPSolve_Private(KSP ksp, Vec b, Vec x)
{
  Vec held;

  PetscFunctionBegin;
  PetscCall(KSPSolve(ksp, b, x));
  PetscCall(KSPGetSolution(ksp, &held));
  if (held == x) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscObjectReference((PetscObject)held));
  PetscCall(PetscObjectDereference((PetscObject)x));
  PetscFunctionReturn(PETSC_SUCCESS);
}
