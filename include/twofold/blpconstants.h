#ifndef TWOFOLD_BLPCONSTANTS_H
#define TWOFOLD_BLPCONSTANTS_H
/**
 * @file
 * The constants of a problem, each with its standing: what step sizes, rates and error bounds are made of.
 *
 * A constant the problem does not give is unknown, never guessed. Formulas are those of the file of the
 * problem in problems/.
 */
#include <twofold/blp.h>

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * How E and Phi depend on w within a ball: the constants of assumptions A to C of the paper. For a lower
 * level that is a loss, Phi = w - grad_w l, a step of size 1.
 */
typedef struct {
  TwofoldConstant eta1;  /**< Lipschitz constant of grad1 E(., lambda) */
  TwofoldConstant eta2;  /**< Lipschitz constant of grad2 E(., lambda) */
  TwofoldConstant nu1;   /**< Lipschitz constant of d1Phi(., lambda): of the Hessian of a loss */
  TwofoldConstant nu2;   /**< Lipschitz constant of d2Phi(., lambda): of d/dlambda grad_w l of a loss */
  TwofoldConstant L_Phi; /**< largest ||d2Phi(., lambda)||: of ||d/dlambda grad_w l|| of a loss */
} BLPLipschitz;

/**
 * Gives mu(lambda) >= 0 with grad^2_ww l >= mu I everywhere, as the problem gives it; unknown where it does
 * not.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     lambda  hyperparameters
 * @param[out]    mu      modulus of strong convexity
 *
 * @raises PETSC_ERR_SUP there is a lower level in each of several folds
 */
PetscErrorCode BLPGetStrongConvexity(BLP blp, Vec lambda, TwofoldConstant *mu);

/**
 * Gives L(lambda) with grad^2_ww l <= L I everywhere, as the problem gives it; unknown where it does not.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     lambda  hyperparameters
 * @param[out]    L       Lipschitz constant of the gradient
 *
 * @raises PETSC_ERR_SUP there is a lower level in each of several folds
 */
PetscErrorCode BLPGetSmoothness(BLP blp, Vec lambda, TwofoldConstant *L);
/**
 * Gives the gradient of mu(lambda), or an element of its subdifferential where it has a kink.
 *
 * At a tie, as where two entries of lambda are both the least, it is the gradient of the entry with the
 * lowest global index alone.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     lambda  hyperparameters
 * @param[out]    g       d mu / d lambda (lambda's layout)
 *
 * @raises PETSC_ERR_SUP the problem has no such gradient
 */
PetscErrorCode BLPGetStrongConvexityGradient(BLP blp, Vec lambda, Vec g);
/**
 * Gives the gradient of L(lambda), or an element of its subdifferential: see BLPGetStrongConvexityGradient().
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     lambda  hyperparameters
 * @param[out]    g       d L / d lambda (lambda's layout)
 *
 * @raises PETSC_ERR_SUP the problem has no such gradient
 */
PetscErrorCode BLPGetSmoothnessGradient(BLP blp, Vec lambda, Vec g);
/**
 * Gives a bound q(lambda) >= ||d1Phi(w, lambda)|| for every w, as the problem gives it; unknown where it
 * does not.
 *
 * @collective
 *
 * @param[in]  blp    the problem
 * @param[in]  lambda hyperparameters
 * @param[out] q      the constant
 */
PetscErrorCode BLPGetContraction(BLP blp, Vec lambda, TwofoldConstant *q);
/**
 * Gives the Lipschitz constants in w over the ball ||w' - w|| <= radius, as the problem gives them.
 *
 * With a tied lambda = T theta, those of derivatives in lambda are multiplied by a bound of ||T||.
 *
 * @collective
 *
 * @param[in]  blp    the problem, set up
 * @param[in]  map    whether those of the problem's own map are wanted, or those of its loss at step 1
 * @param[in]  lambda hyperparameters
 * @param[in]  w      centre of the ball
 * @param[in]  radius of the ball, not negative; may be infinite
 * @param[out] c      the constants; unknown where the problem does not give them
 *
 * @raises PETSC_ERR_SUP there is a lower level in each of several folds
 */
PetscErrorCode BLPGetLipschitz(BLP blp, PetscBool map, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c);
/**
 * Gives the Lipschitz constants in w, over the ball, of the products that an adjoint v takes part in: nu1
 * ||v|| and nu2 ||v||, or less where the problem knows more of this v.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     map     as BLPGetLipschitz()
 * @param[in]     lambda  hyperparameters
 * @param[in]     w       centre of the ball
 * @param[in]     radius  of the ball, not negative; may be infinite
 * @param[in]     v       vector of w's space
 * @param[out]    nu1     of grad^2_ww l v, or of d1Phi^T v
 * @param[out]    nu2     of (d/dlambda grad_w l)^T v, or of d2Phi^T v
 *
 * @raises PETSC_ERR_SUP there is a lower level in each of several folds
 */
PetscErrorCode BLPGetLipschitzAlong(BLP blp, PetscBool map, Vec lambda, Vec w, PetscReal radius, Vec v,
                                    TwofoldConstant *nu1, TwofoldConstant *nu2);

#if defined(__cplusplus)
}
#endif
#endif
