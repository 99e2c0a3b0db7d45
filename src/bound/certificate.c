/* Certificates by residuals. With w = w(lambda), v the exact adjoint there, C = d2Phi, all that is Lipschitz
   on a ball that holds w, w^ and y:

     AID   (I - d1Phi(w)^T) (v^ - v) = s + (d1Phi(y) - d1Phi(w))^T v^ + grad1 E(w^) - grad1 E(w)
           g - grad f = grad2 E(w^) - grad2 E(w) + (C(y) - C(w))^T v^ + C(w)^T (v^ - v)
     ITD   w_{i+1}' - w' = d1Phi(w_i) (w_i' - w') + (d1Phi(w_i) - d1Phi(w)) w' + C(w_i) - C(w)
           g - grad f = grad2 E(w_t) - grad2 E(w) + (w_t' - w')^T grad1 E(w_t) + w'^T (grad1 E(w_t) - grad1
   E(w))

   and truncated to K steps, ITD is what it would be with w_{t-K}' = 0. */
#include <twofold/impl/boundimpl.h>

PetscErrorCode BoundDistance(PetscReal residual, PetscReal mu, PetscReal lmin, PetscReal nu1, PetscReal *e,
                             PetscReal *near)
{
  PetscFunctionBegin;
  *e = mu > 0 ? residual / mu : (residual > 0 ? (PetscReal)INFINITY : 0);
  *near = mu;
  if (!(lmin > 0) || PetscIsInfOrNanReal(nu1)) PetscFunctionReturn(PETSC_SUCCESS);
  const PetscReal discriminant = lmin * lmin - 2 * nu1 * residual;
  if (discriminant >= 0) *e = PetscMin(*e, 2 * residual / (lmin + PetscSqrtReal(discriminant)));
  if (!PetscIsInfReal(*e)) *near = PetscMax(mu, lmin - nu1 * *e);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundCertificateAID(const BoundNumbers *a, const BoundResiduals *r, PetscReal *bound)
{
  PetscFunctionBegin;
  *bound = (PetscReal)INFINITY;
  if (PetscIsInfReal(a->M) || PetscIsInfReal(r->e)) PetscFunctionReturn(PETSC_SUCCESS);
  *bound = a->eta2 * r->e + r->nu2 * (r->e + r->d) +
           a->L_Phi * a->M * (r->s + a->eta1 * r->e + r->nu1 * (r->e + r->d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundCertificateITD(const BoundNumbers *a, PetscInt K, const PetscReal e[], PetscReal last,
                                   PetscReal g1, PetscReal *bound)
{
  PetscFunctionBegin;
  *bound = (PetscReal)INFINITY;
  if (a->q >= 1 || PetscIsInfReal(a->M) || PetscIsInfReal(last)) PetscFunctionReturn(PETSC_SUCCESS);
  const PetscReal W = a->M * a->L_Phi;
  PetscReal Delta = W;
  for (PetscInt i = 0; i < K; i++) Delta = a->q * Delta + (a->nu2 + a->nu1 * W) * e[i];
  *bound = (a->eta2 + a->eta1 * W) * last + g1 * Delta;
  PetscFunctionReturn(PETSC_SUCCESS);
}
