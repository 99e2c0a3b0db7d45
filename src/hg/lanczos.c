/* The extreme Lanczos values of the adjoint's CG, which come with its steps. */
#include <twofold/impl/hgimpl.h>

TwofoldConstant HGLanczosNone_Private(void)
{
  return (TwofoldConstant){.value = NAN, .error = NAN, .origin = "no Lanczos values: see -hg_lanczos"};
}

/* Lanczos values are those of the operator only where nothing preconditions it; of PETSc's CGs the plain one
   gives them in all its forms. */
PetscErrorCode HGLanczosSetUp_Private(HG hg, KSP ksp)
{
  PetscBool cg, bare;
  PC pc;

  PetscFunctionBegin;
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PetscObjectTypeCompare((PetscObject)ksp, KSPCG, &cg));
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCNONE, &bare));
  PetscCheck(cg && bare, PetscObjectComm((PetscObject)hg), PETSC_ERR_SUP,
             "-%shg_lanczos needs -%shg_ksp_type cg without a preconditioner", HGPrefix_Private(hg),
             HGPrefix_Private(hg));
  PetscCall(KSPReset(ksp)); /* it lays out for them when it is set up */
  PetscCall(KSPSetComputeEigenvalues(ksp, PETSC_TRUE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGLanczosGet_Private(KSP ksp, FPM fpm, PetscInt its, TwofoldConstant *largest,
                                    TwofoldConstant *smallest)
{
  PetscReal high, low, *re, *im, scale = 1;
  PetscInt n;
  FPMMethod method;

  PetscFunctionBegin;
  if (its == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc2(its + 1, &re, its + 1, &im));
  PetscCall(KSPComputeEigenvalues(ksp, its + 1, re, im, &n));
  high = -PETSC_MAX_REAL;
  low = PETSC_MAX_REAL;
  for (PetscInt i = 0; i < n; i++) {
    high = PetscMax(high, re[i]);
    low = PetscMin(low, re[i]);
  }
  PetscCall(PetscFree2(re, im));
  if (n == 0 || PetscIsInfOrNanReal(high) || PetscIsInfOrNanReal(low)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FPMGetMethod(fpm, &method));
  if (method == FPM_METHOD_GD) PetscCall(FPMGetStep(fpm, &scale));
  *largest = (TwofoldConstant){.value = high / scale,
                               .error = NAN,
                               .standing = TWOFOLD_COMPUTED,
                               .origin = "Lanczos values of the adjoint's CG, from inside",
                               .products = its};
  *smallest = *largest;
  smallest->value = low / scale;
  PetscFunctionReturn(PETSC_SUCCESS);
}
